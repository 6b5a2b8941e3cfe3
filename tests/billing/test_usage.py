"""Usage: what is counted once, and how it is rolled up and read back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from random import Random
from typing import Any

import pytest

from billing.models import MetricHour, UsageHour
from billing.queries.usage import Grouping, usage_series
from config.kernel.money import EXACT
from customers.models import Customer
from tests.billing.senders import LATER, counted, event, metered, send, statuses
from tests.factories import (
    NOW,
    make_charge,
    make_customer,
    make_metric,
    make_plan,
    make_subscription,
)


@pytest.mark.django_db
def test_an_event_sent_again_counts_nothing() -> None:
    subscription, _ = metered()
    sent = event(subscription=subscription.id, properties={"tokens": 5})

    assert statuses(send(sent)) == ["accepted"]
    assert statuses(send(sent, now=LATER + timedelta(days=40))) == ["duplicate"]
    assert counted() == (1, 1, 1)


@pytest.mark.django_db
def test_an_event_without_a_timestamp_sent_again_is_a_duplicate() -> None:
    subscription, _ = metered()
    sent = {"transaction_id": "t1", "type": "call", "subscription": subscription.id}

    assert statuses(send(sent)) == ["accepted"]
    assert statuses(send(sent, now=LATER + timedelta(hours=3))) == ["duplicate"]
    assert counted() == (1, 1, 1)


@pytest.mark.django_db
def test_duplicates_inside_one_batch_count_once() -> None:
    subscription, _ = metered()
    one, two = (event(name, subscription=subscription.id) for name in ("t1", "t2"))

    assert statuses(send(one, two, one, one)) == ["accepted", "accepted", "duplicate", "duplicate"]
    assert counted() == (2, 2, 2)


CHANGES: list[dict[str, Any]] = [
    {"type": "other"},
    {"timestamp": (NOW + timedelta(seconds=1)).isoformat()},
    {"timestamp": None},
    {"properties": {"tokens": 6}},
    {"properties": {"tokens": "5"}},
    {"properties": {}},
]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("batch", [True, False], ids=["one batch", "two batches"])
def test_another_content_under_the_same_transaction_id_is_a_conflict(change: dict[str, Any], batch: bool) -> None:
    subscription, _ = metered()
    first = event(subscription=subscription.id, properties={"tokens": 5})
    second = {**first, **change}

    found = send(first, second) if batch else [*send(first), *send(second)]

    assert statuses(found) == ["accepted", "transaction_id_conflict"]
    assert counted() == (1, 1, 1)


@pytest.mark.django_db
def test_the_same_moment_in_another_offset_is_the_same_event() -> None:
    subscription, _ = metered()
    first = event(subscription=subscription.id, timestamp="2026-03-10T12:00:00Z")

    again = {**first, "timestamp": "2026-03-10T17:30:00+05:30"}

    assert statuses(send(first, again)) == ["accepted", "duplicate"]


@pytest.mark.django_db
def test_a_rejected_event_neither_uses_up_its_transaction_id_nor_loses_its_neighbours() -> None:
    metric = make_metric(event_type="call", aggregation="SUM", property="tokens")
    subscription = make_subscription(plan=make_plan(charges=[make_charge(metric)]))
    bad, good = ({"tokens": tokens} for tokens in ("many", 3))

    found = send(
        event("t0", subscription=subscription.id, properties=good),
        event("t1", subscription=subscription.id, properties=bad),
        None,
        {"transaction_id": "t2"},
        event("t1", subscription=subscription.id, properties=good),
    )

    assert statuses(found) == ["accepted", "invalid_properties", "invalid_event", "required", "accepted"]
    assert [one.transaction_id for one in found] == ["t0", "t1", None, "t2", "t1"]
    assert counted() == (2, 2, 2)
    assert MetricHour.objects.get().total == 6


@pytest.mark.django_db
def test_large_and_fine_numbers_add_up_exactly() -> None:
    metric = make_metric(event_type="call", aggregation="SUM", property="tokens")
    subscription = make_subscription(plan=make_plan(charges=[make_charge(metric)]))
    tokens = Decimal("123456789012.000000000001")

    send(*(event(name, subscription=subscription.id, properties={"tokens": tokens}) for name in "abc"))

    assert MetricHour.objects.get().total == Decimal("370370367036.000000000003")
    assert UsageHour.objects.get().tokens == Decimal("370370367036.000000000003")


@pytest.mark.django_db
def test_only_events_of_a_charged_metrics_type_feed_it() -> None:
    subscription, metric = metered()

    send(event("a", subscription=subscription.id), event("b", subscription=subscription.id, type="other"))

    assert list(MetricHour.objects.values_list("metric", "events")) == [(metric.id, 1)]
    assert UsageHour.objects.count() == 2


@pytest.mark.django_db
def test_one_event_feeds_every_metric_of_its_type() -> None:
    calls = make_metric(event_type="call")
    tokens = make_metric(event_type="call", aggregation="SUM", property="tokens", dimensions=["model"])
    peak = make_metric(event_type="call", aggregation="MAX", property="tokens")
    plan = make_plan(charges=[make_charge(metric) for metric in (calls, tokens, peak)])
    subscription = make_subscription(plan=plan)

    send(
        event("a", subscription=subscription.id, properties={"tokens": 5, "model": "gpt"}),
        event("b", subscription=subscription.id, properties={"tokens": 7, "model": "gpt"}),
        event("c", subscription=subscription.id, properties={"model": "gpt"}),
    )

    rows = {row.metric_id: row for row in MetricHour.objects.all()}
    assert (rows[calls.id].events, rows[calls.id].total) == (3, 3)
    assert (rows[tokens.id].events, rows[tokens.id].total, rows[tokens.id].dimensions) == (2, 12, {"model": "gpt"})
    assert rows[peak.id].maximum == 7


@pytest.mark.django_db
def test_hours_begin_on_the_customers_clock() -> None:
    subscription, _ = metered(customer=make_customer(timezone="Asia/Kolkata"))
    moments = ["2026-03-10T18:29:59Z", "2026-03-10T18:30:00Z"]

    send(*(event(moment, subscription=subscription.id, timestamp=moment) for moment in moments))

    assert sorted(UsageHour.objects.values_list("hour", flat=True)) == [
        datetime(2026, 3, 10, 17, 30, tzinfo=UTC),
        datetime(2026, 3, 10, 18, 30, tzinfo=UTC),
    ]


def series_of(customer: Customer, grouping: Grouping) -> list[tuple[datetime, int]]:
    """Return the buckets of March and April with their requests."""
    series = usage_series(customer, first=date(2026, 3, 1), last=date(2026, 4, 30), grouping=grouping, now=NOW)
    assert series.total.requests == sum(bucket.total.requests for bucket in series.buckets)
    return [(bucket.start, bucket.total.requests) for bucket in series.buckets]


@pytest.mark.django_db
def test_buckets_follow_the_customers_days_weeks_and_months() -> None:
    customer = make_customer(timezone="Asia/Kolkata")
    subscription, _ = metered(customer=customer)
    # The last instant of Tuesday 31 March in India, and the first of April.
    moments = ["2026-03-31T18:29:59Z", "2026-03-31T18:30:00Z", "2026-03-31T18:31:00Z"]
    may = datetime(2026, 5, 1, tzinfo=UTC)
    send(*(event(moment, subscription=subscription.id, timestamp=moment) for moment in moments), now=may)

    def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
        return datetime(2026, month, day, hour, minute, tzinfo=UTC)

    assert series_of(customer, Grouping.HOUR) == [(utc(3, 31, 18, 30), 2), (utc(3, 31, 17, 30), 1)]
    assert series_of(customer, Grouping.DAY) == [(utc(4, 1), 2), (utc(3, 31), 1)]
    assert series_of(customer, Grouping.WEEK) == [(utc(3, 30), 3)]
    assert series_of(customer, Grouping.MONTH) == [(utc(4, 1), 2), (utc(3, 1), 1)]


@pytest.mark.django_db
def test_a_series_takes_in_its_last_day_and_nothing_beyond() -> None:
    subscription, _ = metered(starts_at=NOW - timedelta(days=5))
    moments = ["2026-03-08T23:59:59Z", "2026-03-09T00:00:00Z", "2026-03-10T23:59:59Z", "2026-03-11T00:00:00Z"]
    send(*(event(moment, subscription=subscription.id, timestamp=moment) for moment in moments))

    series = usage_series(
        subscription.customer, first=date(2026, 3, 9), last=date(2026, 3, 10), grouping=Grouping.DAY, now=NOW
    )

    assert (series.total.requests, series.total.cost) == (2, Decimal("0.02"))


@pytest.mark.django_db
@pytest.mark.parametrize("grouping", list(Grouping))
def test_costs_of_a_tiered_price_add_up_whatever_the_grouping(grouping: Grouping) -> None:
    metric = make_metric(event_type="call", aggregation="SUM", property="tokens", dimensions=["model"])
    tiers = [
        {"up_to": "100", "unit_amount": "0.000000000007", "flat_amount": "3"},
        {"up_to": "1000", "unit_amount": "0.000000000005", "flat_amount": "1"},
        {"up_to": None, "unit_amount": "0.000000000003", "flat_amount": "0"},
    ]
    plan = make_plan(charges=[make_charge(metric, model="GRADUATED", properties={"tiers": tiers})])
    subscription = make_subscription(plan=plan)
    random = Random(5)  # noqa: S311
    send(
        *(
            event(
                f"t{n}",
                subscription=subscription.id,
                timestamp=(NOW + timedelta(minutes=17 * n)).isoformat(),
                properties={
                    "tokens": Decimal(random.randrange(1, 10**14)).scaleb(-12),
                    "model": random.choice(["a", "b", ""]),
                },
            )
            for n in range(150)
        )
    )

    series = usage_series(
        subscription.customer, first=date(2026, 3, 1), last=date(2026, 3, 31), grouping=grouping, now=NOW
    )

    costs = [bucket.total.cost for bucket in series.buckets]
    assert series.total.cost > 1
    assert sum_exactly(costs) == series.total.cost
    for bucket in series.buckets:
        assert sum_exactly([count.cost for count in bucket.parts.values()]) == bucket.total.cost


def sum_exactly(amounts: list[Decimal]) -> Decimal:
    """Return the sum without rounding."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))
