"""What the tests of Kong share: a small Kong with a service, our adapter on it, and records to push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Change, Connection, KeyGrant
from catalog.gateways.kong import KongAdapter
from catalog.limits import limits_of
from tests.gateways.fakes.kong import ADMIN_TOKEN, FakeKong
from tests.gateways.fakes.kong_editions import ACCESS_TOKEN, CONTROL_PLANE, FakeKonnect, FakeOpenKong
from tests.gateways.fakes.server import serving

KONGS = {"enterprise": FakeKong, "konnect": FakeKonnect, "oss": FakeOpenKong}
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "enterprise": {"edition": "enterprise"},
    "konnect": {"edition": "konnect", "region": "eu", "control_plane_id": CONTROL_PLANE, "redis_host": "redis.test"},
    "oss": {"edition": "oss"},
}
CREDENTIALS = {
    "enterprise": {"admin_token": ADMIN_TOKEN},
    "konnect": {"access_token": ACCESS_TOKEN},
    "oss": {},
}
#: Methods that change something.
WRITING = ("POST", "PUT", "PATCH", "DELETE")
SECRET = "sk_live_0123456789abcdef0123456789abcdef"

#: The calls that place a key, by what they write.
STEPS = {
    "consumer": "PUT .*/consumers/[^/]+$",
    "limits": "(POST .*/consumer_groups/[^/]+/consumers|PUT .*/plugins/)",
    "key": "PUT .*/key-auth/",
    "access": "PUT .*/acls/",
}


@dataclass
class Bench:
    """A small Kong of one edition with the service ``orders``."""

    edition: str
    kong: FakeKong
    service: str = ""

    def connection(self, *, settings: Mapping[str, str] | None = None, **credentials: str) -> Connection:
        """Return a connection with the edition's settings and credentials, and these besides."""
        return Connection(
            id="gate_1",
            vendor="KONG",
            base_url=self.kong.base_url,
            settings={**SETTINGS[self.edition], **(settings or {})},
            credentials={**CREDENTIALS[self.edition], **credentials},
            retry_wait_s=(0, 0.01),
            inside=("127.0.0.0/8",),
        )

    def adapter(self, **settings: str) -> KongAdapter:
        """Return an adapter for one job."""
        return KongAdapter(self.connection(settings=settings))

    def restore(self, document: DesiredDocument, ref: str = "orders", **settings: str) -> list[Change]:
        """Push the record as a job does, and return the steps that were taken."""
        adapter = self.adapter(**settings)
        changes = changes_between(adapter.fetch(document, ref), adapter.desired(document, ref))
        for change in changes:
            adapter.apply(change, document, ref)
        return changes

    def drift(self, document: DesiredDocument, ref: str = "orders", **settings: str) -> list[Change]:
        """Return the steps that are missing."""
        adapter = self.adapter(**settings)
        return changes_between(adapter.fetch(document, ref), adapter.desired(document, ref))

    def plugin(self, name: str, **scope: Any) -> dict[str, Any]:
        """Return the only plugin of this name and scope."""
        (plugin,) = self.kong.rows("plugins", name=name, **scope)
        return plugin

    def written(self) -> list[str]:
        """Return what was sent to change something, as ``PUT /plugins/…``."""
        return [f"{one.method} {one.path.removeprefix(self.kong.prefix)}" for one in self.kong.requests(*WRITING)]


@contextmanager
def kong_bench(edition: str) -> Iterator[Bench]:
    """Serve a small Kong inside the block; afterwards all that was said must be as Kong's specification says."""
    with serving(KONGS[edition]()) as gateway:
        kong = cast(FakeKong, gateway)
        service = kong.make("services", name="orders", host="orders.test")
        yield Bench(edition, kong, service["id"])
    assert not kong.violations, "\n".join(kong.violations)


def plan(number: int = 1, /, **limits: int) -> DesiredPlan:
    return DesiredPlan(
        ref=f"plan_{number}", code=f"gold{number}", version=2, name=f"Gold {number}", limits=tuple(limits_of(limits))
    )


def document(*plans: DesiredPlan, is_open: bool = True, product: str = "prod_1") -> DesiredDocument:
    return DesiredDocument(
        mark="meterdesk", product=product, code="orders", name="Orders", is_open=is_open, plans=plans
    )


def grant(of: DesiredPlan, **fields: Any) -> KeyGrant:
    defaults: dict[str, Any] = {
        "subscription": "sub_1",
        "key": "gkey_1",
        "plan": of.ref,
        "customer": "cust_1",
        "limits": of.limits,
        "secret": SECRET,
    }
    return KeyGrant(**{**defaults, **fields})
