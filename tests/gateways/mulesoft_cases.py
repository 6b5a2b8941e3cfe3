"""What tests of the MuleSoft adapter share: documents, grants, a restore as jobs do it, a gateway held to its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Connection, KeyGrant
from catalog.gateways.mulesoft import MuleSoftAdapter
from catalog.limits import limits_of, parse_limits
from tests.gateways.fakes.api_manager import CREDENTIALS, SETTINGS
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.fakes.server import serving

REF = "77"
TIER = "aforo-plan_gold"
APPLICATION = "aforo-gkey_1"


@contextmanager
def judged() -> Iterator[FakeAnypoint]:
    """Serve an environment and hold all it said to the specifications."""
    fake = FakeAnypoint()
    with serving(fake):
        yield fake
    assert fake.violations == []


def connected(fake: FakeAnypoint, **changes: Any) -> MuleSoftAdapter:
    """Return an adapter that speaks to ``fake``."""
    connection = Connection(
        id="gate_1",
        vendor="MULESOFT",
        base_url=fake.base_url,
        settings=SETTINGS,
        credentials=CREDENTIALS,
        mark="aforo",
        retry_wait_s=(0.0, 0.01),
        inside=("127.0.0.0/8",),
    )
    return MuleSoftAdapter(replace(connection, **changes))


def plan(code: str = "gold", **limits: int) -> DesiredPlan:
    """Return a rate plan with limits."""
    return DesiredPlan(
        ref=f"plan_{code}", code=code, version=1, name=code.title(), limits=tuple(limits_of(parse_limits(limits)))
    )


def record(*plans: DesiredPlan, **fields: Any) -> DesiredDocument:
    """Return our record of the product with ``plans``."""
    defaults: dict[str, Any] = {"mark": "aforo", "product": "prod_1", "code": "pets", "name": "Pets"}
    return DesiredDocument(**{**defaults, **fields}, plans=plans)


GOLD = record(plan(rate_per_minute=100, quota_per_day=10_000))
TWO = record(*GOLD.plans, plan("silver", rate_per_second=1))


def grant(code: str = "gold", **fields: Any) -> KeyGrant:
    """Return a key of a subscription to the plan ``code``."""
    defaults: dict[str, Any] = {
        "subscription": "sub_1",
        "key": "gkey_1",
        "plan": f"plan_{code}",
        "customer": "cust_1",
        "is_client": True,
        "client_id": "mc_1",
    }
    return KeyGrant(**{**defaults, **fields})


def missing(adapter: MuleSoftAdapter, document: DesiredDocument = GOLD, ref: str = REF) -> list[str]:
    """Return what a restore would do: the action with the fields that differ."""
    changes = changes_between(adapter.fetch(document, ref), adapter.desired(document, ref))
    return [
        " ".join([change.action, change.resource.kind, *(one.field for one in change.differences)]).strip()
        for change in changes
    ]


def restore(adapter: MuleSoftAdapter, document: DesiredDocument = GOLD, ref: str = REF) -> None:
    """Take the steps that are missing."""
    for change in changes_between(adapter.fetch(document, ref), adapter.desired(document, ref)):
        adapter.apply(change, document, ref)
