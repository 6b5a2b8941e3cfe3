"""What the tests of Azure API Management share."""

from __future__ import annotations

from dataclasses import replace

from catalog.gateways.azure import AzureAdapter
from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Connection, KeyGrant
from catalog.limits import BY_NAME, Limit
from tests.gateways.fakes.azure import CREDENTIALS, SETTINGS, FakeAzure

REF = "petstore"
SECRET = "sk_live_0123456789abcdef0123456789abcdef"


def connected(fake: FakeAzure, **changes: object) -> AzureAdapter:
    connection = Connection(
        id="gate_1",
        vendor="AZURE_APIM",
        base_url=fake.base_url,
        settings=SETTINGS,
        credentials=CREDENTIALS,
        retry_wait_s=(0.0, 0.01),
        inside=("127.0.0.0/8",),
    )
    return AzureAdapter(replace(connection, **changes))  # type: ignore[arg-type]


def limits(**counts: int) -> tuple[Limit, ...]:
    return tuple(Limit(count, BY_NAME[name]) for name, count in counts.items())


def plan(ref: str = "plan_gold", **counts: int) -> DesiredPlan:
    return DesiredPlan(ref=ref, code=ref, version=1, name=ref.title(), limits=limits(**counts))


def record(*plans: DesiredPlan) -> DesiredDocument:
    return DesiredDocument(mark="meterdesk", product="prod_1", code="pets", name="Pets", plans=plans)


GOLD = record(plan(rate_per_minute=100, quota_per_day=10_000))


def missing(adapter: AzureAdapter, document: DesiredDocument) -> list[str]:
    """Return what a restore would do, in words."""
    changes = changes_between(adapter.fetch(document, REF), adapter.desired(document, REF))
    return [f"{change.action} {change.resource.kind}" for change in changes]


def restore(adapter: AzureAdapter, document: DesiredDocument) -> None:
    for change in changes_between(adapter.fetch(document, REF), adapter.desired(document, REF)):
        adapter.apply(change, document, REF)


def grant(**fields: object) -> KeyGrant:
    given = {"subscription": "sub_1", "key": "gkey_1", "plan": "plan_gold", "customer": "cust_1", "secret": SECRET}
    return KeyGrant(**{**given, **fields})  # type: ignore[arg-type]
