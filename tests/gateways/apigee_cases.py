"""What the tests of Apigee share."""

from __future__ import annotations

from dataclasses import replace

from catalog.gateways.apigee import ApigeeAdapter
from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Connection, KeyGrant
from catalog.limits import BY_NAME, Limit
from tests.gateways.fakes.apigee import SETTINGS, FakeApigee

REF = "petstore"
SECRET = "sk_live_0123456789abcdef0123456789abcdef"
NAME = "meterdesk-plan_gold"
EMAIL = "sub_1@meterdesk.invalid"


def connected(fake: FakeApigee, **changes: object) -> ApigeeAdapter:
    connection = Connection(
        id="gate_1",
        vendor="APIGEE",
        base_url=fake.base_url,
        settings=SETTINGS,
        credentials=fake.credentials(),
        retry_wait_s=(0.0, 0.01),
        inside=("127.0.0.0/8",),
    )
    return ApigeeAdapter(replace(connection, **changes))  # type: ignore[arg-type]


def plan(ref: str = "plan_gold", **counts: int) -> DesiredPlan:
    limits = tuple(Limit(count, BY_NAME[name]) for name, count in counts.items())
    return DesiredPlan(ref=ref, code=ref, version=1, name=ref.title(), limits=limits)


def record(*plans: DesiredPlan) -> DesiredDocument:
    return DesiredDocument(mark="meterdesk", product="prod_1", code="pets", name="Pets", plans=plans)


GOLD = record(plan(quota_per_month=10_000))


def missing(adapter: ApigeeAdapter, document: DesiredDocument) -> list[str]:
    """Return what differs: the action with the first field."""
    changes = changes_between(adapter.fetch(document, REF), adapter.desired(document, REF))
    return [f"{change.action} {','.join(one.field for one in change.differences)}".strip() for change in changes]


def restore(adapter: ApigeeAdapter, document: DesiredDocument) -> None:
    for change in changes_between(adapter.fetch(document, REF), adapter.desired(document, REF)):
        adapter.apply(change, document, REF)


def grant(**fields: object) -> KeyGrant:
    given = {"subscription": "sub_1", "key": "gkey_1", "plan": "plan_gold", "customer": "cust_1", "secret": SECRET}
    return KeyGrant(**{**given, **fields})  # type: ignore[arg-type]
