"""A month priced on the plan that it was billed on: the bench says what the invoice said, however units are counted."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.errors import TooManyEvents
from billing.operations.billing_runs import bill_due
from billing.queries import month_levels
from billing.queries.month_usage import month_of, usage_of_month
from catalog.models import RatePlan
from catalog.queries.plan_prices import plan_price
from catalog.queries.prices import PlanPrice, UnitsUsed
from customers.models import Customer, Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, totals
from tests.billing.seats import seat, seated, seats_metric
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TIERS = {
    "tiers": [
        {"up_to": "2", "unit_amount": "10", "flat_amount": "3"},
        {"up_to": None, "unit_amount": "7.77", "flat_amount": "1"},
    ]
}
GRADUATED: dict[str, Any] = {"model": "GRADUATED", "properties": TIERS}
VOLUME: dict[str, Any] = {"model": "VOLUME", "properties": TIERS}
CEIL = {"rounding_function": "ceil", "rounding_precision": 0}

#: What is on 1 March or before, in March and in April: the day counted from 1 March, what, where, and what of it.
USERS = [
    (0, "ann", "eu", None),
    (3, "bob", "us", None),
    (9, "bob", "us", "remove"),
    (20, "cid", "eu", None),
    (31, "dan", "us", None),
    (36, "ann", "eu", "remove"),
    (40, "dan", "us", None),
    (45, "eve", "eu", None),
    (45, "ann", "us", None),
    (50, "eve", "eu", "remove"),
    (51, "eve", "eu", None),
    (55, "fay", "us", None),
]
SIZES = [(0, "5.5", "eu"), (4, "2", "us"), (33, "1.25", "eu"), (40, "-3", "us"), (50, "0.7", "us"), (52, "0.1", "eu")]

METRICS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"aggregation": "UNIQUE_COUNT", "recurring": False}, [{}, GRADUATED]),
    ({"aggregation": "UNIQUE_COUNT"}, [{}, VOLUME, {"prorated": True}, {**GRADUATED, "prorated": True}]),
    ({"aggregation": "SUM"}, [{}, GRADUATED, {"prorated": True}, {**VOLUME, "prorated": True}]),
    ({"aggregation": "SUM", **CEIL}, [{}]),
    ({"aggregation": "SUM", "recurring": False, **CEIL}, [VOLUME]),
    ({"aggregation": "MAX"}, [{}]),
    ({"aggregation": "LATEST"}, [{}]),
    ({"aggregation": "LATEST", "recurring": False}, [{}]),
    ({"aggregation": "WEIGHTED_SUM"}, [{}, GRADUATED]),
    ({"aggregation": "WEIGHTED_SUM", "recurring": False, **CEIL}, [{}]),
]
KINDS = [(metric, charge) for metric, charges in METRICS for charge in charges]


def use_of_spring(subscription: Subscription, aggregation: str) -> None:
    """Let things come and go in March and April."""
    if aggregation == "UNIQUE_COUNT":
        for day, user, region, operation in USERS:
            seat(subscription, MARCH + day * DAY, user, operation, region=region)
    else:
        for day, size, region in SIZES:
            seat(subscription, MARCH + day * DAY, Decimal(size), region=region)


def usage(customer: Customer, plan: RatePlan, month: int = 4) -> list[UnitsUsed]:
    return usage_of_month(customer, month_of(customer, date(2026, month, 1), now=JUNE), [plan])


def priced(customer: Customer, plan: RatePlan, month: int = 4) -> PlanPrice:
    return plan_price(plan, usage(customer, plan, month))


@pytest.mark.parametrize("limited", [False, True], ids=["one charge", "a charge for each region"])
@pytest.mark.parametrize(("fields", "charge"), KINDS)
def test_a_month_is_priced_at_what_it_was_billed(fields: dict[str, Any], charge: dict[str, Any], limited: bool) -> None:
    metric = seats_metric(dimensions=["region"], **fields)
    matches = [{"region": ["eu"]}, {"region": ["us", "asia"]}] if limited else [{}]
    charges = [make_charge(metric, match=match, **{"unit_amount": "10", **charge}) for match in matches]
    subscription = make_subscription(plan=make_plan(charges=charges, amount=Decimal("19.99")), starts_at=MARCH)
    use_of_spring(subscription, fields["aggregation"])
    bill_due(now=MAY)
    months = [priced(subscription.customer, subscription.plan, month) for month in (3, 4)]

    assert [found.total for found in months] == totals()
    assert totals()[1] > 0
    assert months[0].uncharged == months[1].uncharged == []


@pytest.mark.parametrize(
    "terms",
    [
        {"minimum_commitment": "75"},
        {"maximum_spend": "32.50"},
        {"minimum_commitment": "32.50", "maximum_spend": "32.50"},
        {"minimum_amount": "44.44"},
        {"minimum_amount": "44.44", "maximum_spend": "30"},
        {"minimum_amount": "10", "minimum_commitment": "60", "maximum_spend": "70"},
    ],
    ids=str,
)
def test_minimums_and_maximum_are_in_the_price_of_a_period_as_on_the_bill(terms: dict[str, str]) -> None:
    bounds: dict[str, Any] = {name: Decimal(value) for name, value in terms.items()}
    metric, least = seats_metric("SUM"), bounds.pop("minimum_amount", Decimal(0))
    charges = [make_charge(metric, unit_amount="3.333", minimum_amount=least)]
    plan = make_plan(charges=charges, amount=Decimal("19.99"), **bounds)
    subscription = make_subscription(plan=plan, starts_at=MARCH)
    use_of_spring(subscription, "SUM")
    bill_due(now=MAY)

    assert [priced(subscription.customer, plan, month).total for month in (3, 4)] == totals()


def test_a_plan_is_priced_for_what_its_metric_was_never_counted_for() -> None:
    other = seats_metric("COUNT", property="", recurring=False)
    subscription = seated(metric=other)
    use_of_spring(subscription, "UNIQUE_COUNT")
    seats = make_plan(charges=[make_charge(seats_metric(dimensions=["region"]), unit_amount="10")], amount=Decimal(0))

    # On 30 April: cid in eu, eve in eu, dan, ann and fay in us.
    [found] = priced(subscription.customer, seats).charges
    assert (found.units, found.amount) == (Decimal(5), Decimal(50))


def test_usage_that_no_charge_of_the_plan_takes_is_counted_as_its_metric_says() -> None:
    subscription = seated(dimensions=["region"])
    use_of_spring(subscription, "UNIQUE_COUNT")
    plan = make_plan(charges=[make_charge(make_metric())])

    found = priced(subscription.customer, plan)

    counted = usage(subscription.customer, plan)
    assert [counted[place].dimensions for place in found.uncharged] == [{"region": "eu"}, {"region": "us"}]
    assert [counted[place].units for place in found.uncharged] == [2, 3]


def test_what_two_subscriptions_hold_counts_together_and_once_where_values_are_told_apart() -> None:
    metric, customer = seats_metric(), make_customer()
    plan = make_plan(charges=[make_charge(metric, unit_amount="10")], amount=Decimal(0))
    one, two = (make_subscription(customer=customer, plan=plan, starts_at=MARCH) for _ in range(2))
    for subscription, user in ((one, "ann"), (two, "ann"), (two, "bob")):
        seat(subscription, MARCH + DAY, user)

    assert [priced(customer, plan, month).total for month in (3, 4)] == [20, 20]


def test_what_a_subscription_held_that_has_ended_is_not_carried_on_and_by_a_change_of_plan_it_is() -> None:
    ended, changed = seated(), seated()
    for subscription in (ended, changed):
        seat(subscription, MARCH + DAY, "ann")
    terminate_subscription(ended.id, now=APRIL - DAY)
    dearer = make_plan(charges=[make_charge(changed.plan.charges.get().metric, unit_amount="20")], amount=Decimal(100))
    change_plan(changed.id, plan=dearer.id, now=APRIL - DAY)

    assert priced(ended.customer, ended.plan, 3).total == 10
    assert priced(ended.customer, ended.plan, 4).total == 0
    assert priced(changed.customer, dearer, 4).total == 120


def test_what_no_plan_made_sure_can_be_counted_is_left_out() -> None:
    subscription = seated(metric=seats_metric("COUNT", property="", recurring=False))
    for day, size in enumerate((Decimal(7), "many", Decimal(2))):
        seat(subscription, MARCH + day * DAY, size)
    plan = make_plan(charges=[make_charge(seats_metric("SUM"), unit_amount="1")], amount=Decimal(0))

    assert [priced(subscription.customer, plan, month).total for month in (3, 4)] == [9, 9]


def test_more_events_than_can_be_counted_one_by_one_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(month_levels, "MAX_COUNTED", 2)
    subscription = seated()
    for day, user in enumerate(("ann", "bob")):
        seat(subscription, MARCH + day * DAY, user)
    assert priced(subscription.customer, subscription.plan, 3).total == 20

    seat(subscription, MARCH + 5 * DAY, "cid")

    with pytest.raises(TooManyEvents) as refusal:
        usage(subscription.customer, subscription.plan, 3)
    assert refusal.value.details == {"limit": 2, "month": "March 2026"}
