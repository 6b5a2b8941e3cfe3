"""What tests of the AWS adapter share: documents, grants, a restore as jobs do it, a gateway held to its contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from catalog.gateways.aws import AwsAdapter
from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Change, KeyGrant
from catalog.limits import limits_of, parse_limits
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.server import serving

REF = "a1/prod"
SECRET = "sk_live_0123456789abcdef0123456789abcdef"


@contextmanager
def judged(**settings: Any) -> Iterator[FakeAws]:
    """Serve an account and hold all it said to AWS's model."""
    gateway = FakeAws(**settings)
    with serving(gateway):
        yield gateway
    assert gateway.violations == []


def plan(code: str, **limits: int) -> DesiredPlan:
    """Return a rate plan with limits."""
    return DesiredPlan(
        ref=f"plan_{code}", code=code, version=1, name=code.title(), limits=tuple(limits_of(parse_limits(limits)))
    )


def document(*plans: DesiredPlan, **fields: Any) -> DesiredDocument:
    """Return our record of the product with ``plans``."""
    defaults: dict[str, Any] = {"mark": "aforo", "product": "prod_1", "code": "weather", "name": "Weather"}
    return DesiredDocument(**{**defaults, **fields}, plans=plans)


def grant(code: str = "gold", **fields: Any) -> KeyGrant:
    """Return a key of a subscription to the plan ``code``."""
    defaults: dict[str, Any] = {
        "subscription": "sub_1",
        "key": "gkey_1",
        "plan": f"plan_{code}",
        "customer": "cust_1",
        "secret": SECRET,
    }
    return KeyGrant(**{**defaults, **fields})


def missing(adapter: AwsAdapter, record: DesiredDocument, ref: str = REF) -> list[Change]:
    """Return the steps that are missing at the gateway."""
    return changes_between(adapter.fetch(record, ref), adapter.desired(record, ref))


def restore(adapter: AwsAdapter, record: DesiredDocument, ref: str = REF) -> list[str]:
    """Take the steps that are missing and return what they did."""
    changes = missing(adapter, record, ref)
    for change in changes:
        adapter.apply(change, record, ref)
    return [change.action for change in changes]
