"""Metrics that are counted by the event: what is taken in, and that every view of them says the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.levels import Levels
from billing.models import MetricHour, UsageEvent
from billing.operations.billing_runs import bill_due
from billing.operations.purges import purge_usage
from billing.operations.usage import receive_events
from billing.queries.activity import UsageActivity
from billing.queries.books import breaches
from billing.queries.breakdowns import Breakdown
from billing.queries.charged_events import events_in
from billing.queries.current_usage import current_usage
from billing.queries.levels import begun_levels, held_time
from billing.queries.rating import rate_period
from catalog.queries.charges import charges_of
from config.kernel.money import round_money
from credentials.operations.credentials import issue_customer_key
from customers.models import Subscription
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.plan_changes import change_plan
from customers.periods import Period
from tests.billing.bills import APRIL, JUNE, MARCH, MAY
from tests.billing.payments_wire import billed
from tests.billing.seats import seat, seated, seats_metric, spring, units_in
from tests.billing.usage_house import sum_exactly
from tests.factories import make_agent, make_charge, make_plan, make_team

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TIERS = {"tiers": [{"up_to": "2", "unit_amount": "10"}, {"up_to": None, "unit_amount": "7", "flat_amount": "1"}]}


@pytest.mark.parametrize("value", [{"id": "ann"}, ["ann"]])
def test_what_is_no_value_is_rejected_before_anything_is_written(value: Any) -> None:
    subscription = seated()

    refused = seat(subscription, MARCH, "", user=value)

    assert refused is not None
    assert (refused.code, refused.param) == ("invalid_properties", "properties.user")
    assert not UsageEvent.objects.exists()
    for one in ("ann", 7, Decimal("7.5"), True):
        assert seat(subscription, MARCH, "", user=one) is None
    assert units_in(subscription, MARCH, APRIL) == 4


def test_a_value_is_added_or_removed_and_nothing_else() -> None:
    subscription = seated()

    refused = seat(subscription, MARCH, "ann", "delete")

    assert refused is not None
    assert (refused.code, refused.param) == ("invalid_properties", "properties.operation_type")
    assert not UsageEvent.objects.exists()
    assert seat(subscription, MARCH, "ann", "remove") is None
    assert seat(seated("SUM"), MARCH, 5, "delete") is None


@pytest.mark.parametrize("aggregation", ["LATEST", "WEIGHTED_SUM", "SUM"])
def test_a_level_is_made_of_numbers(aggregation: str) -> None:
    subscription = seated(aggregation)

    refused = seat(subscription, MARCH, "", size="a lot")

    assert refused is not None
    assert refused.param == "properties.size"
    assert seat(subscription, MARCH, "", size="4") is None
    assert seat(subscription, MARCH, "", user="ann") is None
    assert units_in(subscription, MARCH, APRIL) == 4


SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("UNIQUE_COUNT", {}),
    ("UNIQUE_COUNT", {"recurring": False}),
    ("UNIQUE_COUNT", {"charge": {"prorated": True, "model": "GRADUATED", "properties": TIERS}}),
    ("SUM", {}),
    ("SUM", {"charge": {"prorated": True, "model": "VOLUME", "properties": TIERS}}),
    ("LATEST", {"charge": {"model": "GRADUATED", "properties": TIERS}}),
    ("WEIGHTED_SUM", {"rounding_function": "ceil", "rounding_precision": 1}),
]


@pytest.mark.parametrize(("aggregation", "shape"), SHAPES)
def test_usage_current_usage_and_invoice_say_the_same(aggregation: str, shape: dict[str, Any]) -> None:
    subscription = seated(aggregation, **shape)
    is_value = aggregation == "UNIQUE_COUNT"
    for day, value, size in ((3, "ann", 2), (5, "bob", 3), (40, "carl", 5), (45, "ann", -1), (70, "dora", 4)):
        seat(subscription, MARCH + day * DAY, value if is_value else size, "remove" if day == 45 and is_value else None)

    [running] = current_usage(subscription.customer, now=APRIL + 20 * DAY)
    series = spring(subscription)
    months = [rate_period(subscription, Period(*span))[0] for span in ((MARCH, APRIL), (APRIL, MAY), (MAY, JUNE))]
    bill_due(now=JUNE)

    # The first tier has no flat amount: what is charged without units would be no bucket's.
    costs = [bucket.total.cost for bucket in reversed(series.buckets)]
    assert costs == [month.rating.amount for month in months]
    assert [part.units for one in reversed(series.buckets) for part in one.parts.values()] == [m.units for m in months]
    assert [part.requests for one in reversed(series.buckets) for part in one.parts.values()] == [2, 2, 1]
    assert (running.amount, running.charges[0].units) == (months[1].rating.amount, months[1].units)
    assert running.charges[0].events == 2
    lines = [line for invoice in billed() for line in invoice]
    assert [line[2:] for line in lines] == [(one.units, round_money(one.rating.amount, "USD")) for one in months]
    assert series.total.cost == sum_exactly(costs) > 0
    assert list(breaches()) == []


def test_what_is_carried_costs_in_the_hour_the_period_begins_and_only_once_it_has() -> None:
    subscription = seated()
    seat(subscription, MARCH + 9 * DAY, "ann")

    def costs(now: datetime, **more: Any) -> list[tuple[date, Any]]:
        return [(one.start.date(), one.total.cost) for one in spring(subscription, now=now, **more).buckets]

    assert costs(APRIL - HOUR) == [(MARCH.date(), 10)]
    assert costs(APRIL) == [(APRIL.date(), 10), (MARCH.date(), 10)]
    assert costs(JUNE, first=date(2026, 4, 1), last=date(2026, 4, 1)) == [(APRIL.date(), 10)]
    assert costs(JUNE, first=date(2026, 4, 2), last=date(2026, 4, 30)) == []


def test_each_credential_bears_the_cost_of_what_it_changed_and_nobody_of_what_was_carried() -> None:
    subscription = seated()
    customer = subscription.customer
    team = make_team(customer=customer, budget_period="quarter")
    keys = [
        issue_customer_key(customer.id, name="k", scopes=["*"], agent=agent, now=MARCH).id
        for agent in (make_agent(team=team).id, None)
    ]
    for number, credential in enumerate(keys):
        sent = {"transaction_id": str(number), "type": "seat", "timestamp": (MARCH + number * HOUR).isoformat()}
        receive_events([{**sent, "credential": credential, "properties": {"user": f"u{number}"}}], now=MAY)

    series = spring(subscription, now=APRIL, breakdown=Breakdown.CREDENTIAL)

    assert [{name: one.cost for name, one in bucket.parts.items()} for bucket in series.buckets] == [
        {"unassigned": 20}, {keys[0]: 10, keys[1]: 10}
    ]  # fmt: skip
    only = spring(subscription, now=APRIL, breakdown=Breakdown.MODEL, only={Breakdown.CREDENTIAL: keys[0]})
    assert only.total.cost == 10
    for by in (Breakdown.SUBSCRIPTION, Breakdown.PRODUCT):
        assert all("unassigned" not in bucket.parts for bucket in spring(subscription, breakdown=by).buckets)
    assert UsageActivity().budgets_used([team], now=APRIL - HOUR) == {team.id: 10}


def test_one_metric_is_asked_for_with_its_units(api: APIClient) -> None:
    subscription = seated()
    metric = subscription.plan.charges.get().metric
    for user in ("ann", "bob"):
        seat(subscription, MARCH + DAY, user)

    with time_machine.travel(APRIL + DAY, tick=False):
        answer = api.get(f"/v1/customers/{subscription.customer_id}/usage?group_by=month&metric={metric.id}"
                         "&start_date=2026-03-01&end_date=2026-04-30")  # fmt: skip

    assert json.loads(answer.content)["summary"] == {
        "total_requests": 2, "total_tokens": 0, "total_units": 4, "total_cost": 40, "average_latency_ms": None
    }  # fmt: skip


def test_events_are_read_only_where_a_metric_counts_them(django_assert_num_queries: Callable[[int], Any]) -> None:
    shapes: dict[str, dict[str, Any]] = {
        "COUNT": {"property": "", "recurring": False},
        "LATEST": {"recurring": False},
        "SUM": {},
    }
    subscriptions = {
        name: Subscription.objects.select_related("customer", "plan").get(pk=seated(name, **fields).pk)
        for name, fields in shapes.items()
    }

    for name, queries in (("COUNT", 2), ("LATEST", 3), ("SUM", 4)):
        with django_assert_num_queries(queries):
            rate_period(subscriptions[name], Period(MARCH, APRIL))


REGIONS, TIERS_OF_USE, NAMES = ["eu", "us", 1, None], [True, Decimal("1.50"), None], ["a", "b", "1", 1, True]


@pytest.mark.parametrize("aggregation", ["UNIQUE_COUNT", "SUM", "LATEST", "WEIGHTED_SUM"])
@pytest.mark.parametrize("seed", [5, 7, 11])
def test_what_the_database_says_is_left_is_what_the_events_leave_one_by_one(aggregation: str, seed: int) -> None:
    metric = seats_metric(aggregation, dimensions=["region", "tier"])
    matches = [{}, {"region": ["eu"]}, {"region": ["eu", "1"], "tier": ["True"]}]
    old = seated(metric=metric)
    for number in range(1, 60):
        mixed = number * number * seed
        value: Any = NAMES[mixed % 5] if aggregation == "UNIQUE_COUNT" else mixed % 13 - 4
        said = {"user": value, "size": value, "region": REGIONS[mixed // 3 % 4], "tier": TIERS_OF_USE[mixed // 7 % 3]}
        at = MARCH + timedelta(hours=mixed % 1000)
        assert seat(old, at, "", "remove" if mixed % 3 == 1 else None, number=number, **said) is None
    charges = [make_charge(metric, unit_amount="10", match=match) for match in matches]
    new = change_plan(old.id, plan=make_plan(charges=charges, amount=Decimal(1000)).id, now=MAY)
    span = Period(MAY, JUNE)

    left = begun_levels(new, charges_of(new.plan_id), span)

    one_by_one = Levels(charges_of(new.plan_id), held_time(new, span, by_days=False))
    for event in events_in(old, ["seat"], MARCH, MAY):
        one_by_one.take(event)
    units = [left.rated(charge)[0] for charge in charges_of(new.plan_id)]
    assert units == [one_by_one.rated(charge)[0] for charge in charges_of(new.plan_id)]
    assert len(set(units)) > 1


def test_the_day_of_a_change_of_plan_counts_for_the_new_one_and_that_of_a_termination_for_the_old() -> None:
    changed, ended = seated(), seated()
    noon = MARCH + 9 * DAY + 12 * HOUR
    new = change_plan(changed.id, plan=make_plan(amount=Decimal(1000)).id, now=noon)

    def days(subscription: Subscription, start: datetime, end: datetime) -> int:
        fresh = Subscription.objects.select_related("customer", "plan").get(pk=subscription.pk)
        return held_time(fresh, Period(start, end), by_days=True).days_left(start)

    assert (days(changed, MARCH, noon), days(new, noon, APRIL), days(ended, MARCH, noon)) == (9, 22, 10)


def test_what_a_deleted_customer_held_is_billed_before_its_events_go() -> None:
    metric = seats_metric()
    old = seated(metric=metric)
    seat(old, MARCH, "ann")
    bill_due(now=APRIL)
    dearer = make_plan(charges=[make_charge(metric, unit_amount="20")], amount=Decimal(1000))
    change_plan(old.id, plan=dearer.id, now=APRIL)
    bystander = seated("COUNT", property="", recurring=False)
    seat(bystander, MARCH, "ann")
    delete_customer(old.customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=APRIL + DAY)

    purge_usage(now=APRIL + DAY)
    assert UsageEvent.objects.filter(subscription=old).count() == 1
    purge_usage(now=APRIL + DAY + HOUR)

    assert UsageEvent.objects.filter(subscription=old).count() == 0
    assert UsageEvent.objects.filter(subscription=bystander).count() == 1
    assert [line for invoice in billed() for line in invoice if line[0] == "usage" and line[3] != 0] == [
        ("usage", 3, 1, 10),
        ("usage", 4, 1, 20),
    ]
    assert list(breaches()) == []


def test_hours_keep_how_many_events_named_a_value() -> None:
    subscription = seated()
    for number, user in enumerate(("ann", "ann", None)):
        seat(subscription, MARCH, "", user=user, number=number)

    hour = MetricHour.objects.get()
    assert [hour.events, hour.total] == [2, 2]
    assert rate_period(subscription, Period(MARCH, APRIL))[0].events == 2
