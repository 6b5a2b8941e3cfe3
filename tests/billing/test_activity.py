"""What customers did lately: last activity, and the running month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.operations.holds import hold_funds
from billing.operations.wallets import terminate_wallet
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.activity import MonthOfUse, activity
from customers.models import UNCLASSIFIED_ID
from tests.billing.activity_wire import use
from tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


def test_the_last_activity_is_the_newest_use_of_any_kind() -> None:
    idle, used, verified, both = (make_customer() for _ in range(4))
    use("2026-03-01T00:00:00Z", customer=used.id)
    use("2026-03-02T00:00:00Z", customer=used.id)
    for customer in (verified, both):
        key, _ = (issue_customer_key(customer.id, name=name, scopes=["*"], now=NOW) for name in ("used", "never used"))
        Credential.objects.filter(pk=key.pk).update(last_used_at=NOW)
    use(NOW + timedelta(minutes=1), customer=both.id)

    found = activity().last_active([idle.id, used.id, verified.id, both.id])

    assert found == {
        used.id: datetime(2026, 3, 2, tzinfo=UTC),
        verified.id: NOW,
        both.id: NOW + timedelta(minutes=1),
    }


def test_a_page_of_last_activity_is_one_query() -> None:
    customers = [make_customer().id for _ in range(5)]
    use("2026-03-01T00:00:00Z", customer=customers[0])

    with CaptureQueriesContext(
        connection,
    ) as queries:
        activity().last_active(customers)

    assert len(queries) == 1


def test_nobody_is_asked_for_by_an_empty_page() -> None:
    assert activity().last_active([]) == {}
    assert activity().budgets_used([], now=NOW) == {}


def test_the_month_is_the_running_one_on_the_customers_calendar() -> None:
    customer = make_customer(timezone="Asia/Kolkata")
    # March begins in India at 18:30 on the last day of February in UTC.
    for at in ("2026-02-28T18:29:59Z", "2026-02-28T18:30:00Z", "2026-03-31T18:29:59Z", "2026-03-31T18:30:00Z"):
        use(at, customer=customer.id, properties={"tokens": 5})

    found = activity().month_of_use(customer, now=NOW)

    assert found == MonthOfUse(requests=2, tokens=Decimal(10), credits_remaining=Decimal(0))


def test_a_month_without_use_is_zero() -> None:
    found = activity().month_of_use(make_customer(), now=NOW)

    assert found == MonthOfUse(requests=0, tokens=Decimal(0), credits_remaining=Decimal(0))


def test_credits_remain_over_all_open_wallets_in_the_customers_currency() -> None:
    customer = make_customer()
    main, _, other = (make_wallet(customer=customer, balance="10.5", name=name) for name in ("main", "extra", "old"))
    make_wallet(customer=customer, balance="100", currency="EUR")
    make_wallet(balance="1000")
    terminate_wallet(other.id, now=NOW)
    hold_funds(main.id, amount=Decimal(3), reference="held", expires_at=NOW + timedelta(hours=1), now=NOW)
    hold_funds(main.id, amount=Decimal(4), reference="brief", expires_at=NOW + timedelta(minutes=1), now=NOW)

    assert activity().month_of_use(customer, now=NOW).credits_remaining == 14
    # The second hold has run out, whether or not a worker has swept it.
    after = activity().month_of_use(customer, now=NOW + timedelta(minutes=1))
    assert after.credits_remaining == 18


def test_the_bucket_of_nobodys_usage_was_active_too() -> None:
    use("2026-03-05T10:00:00Z", subscriber="nobody@example.org")

    assert activity().last_active([UNCLASSIFIED_ID]) == {UNCLASSIFIED_ID: datetime(2026, 3, 5, 10, tzinfo=UTC)}
