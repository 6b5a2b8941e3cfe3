"""Usage: what is counted once, for whom, and how it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from random import Random
from typing import Any

import pytest

from billing.ingestion import InvalidEvent, parse_event, quantity
from billing.models import LateUsage, MetricHour, UsageEvent, UsageHour
from billing.operations.usage import EventOutcome, EventStatus, receive_events, record_events
from billing.queries.usage import Grouping, usage_series
from catalog.models import Metric
from config.kernel.money import EXACT
from config.kernel.secrets import issued_secrets
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.test_wallets_concurrency import at_once
from tests.factories import (
    NOW,
    make_charge,
    make_customer,
    make_event,
    make_metric,
    make_plan,
    make_product,
    make_subscription,
)

LATER = NOW + timedelta(days=2)
ACCEPTED, DUPLICATE, REJECTED = EventStatus.ACCEPTED, EventStatus.DUPLICATE, EventStatus.REJECTED
UNKNOWN = {
    "credential": "key_01h455vb4pex5vsknk084sn02q",
    "subscription": "sub_01h455vb4pex5vsknk084sn02q",
    "customer": "cust_01h455vb4pex5vsknk084sn02q",
}


def metered(**fields: Any) -> tuple[Subscription, Metric]:
    """Return a subscription whose plan charges 0.01 for each event of the type “call”."""
    metric = make_metric(event_type="call")
    plan = make_plan(charges=[make_charge(metric)], amount=Decimal(0))
    return make_subscription(plan=plan, **fields), metric


def event(transaction_id: str = "t1", **fields: Any) -> dict[str, Any]:
    """Return an event as it is sent."""
    return {"transaction_id": transaction_id, "type": "call", "timestamp": NOW.isoformat(), **fields}


def send(*items: object, now: datetime = LATER) -> list[EventOutcome]:
    return receive_events(items, now=now)


def statuses(outcomes: list[EventOutcome]) -> list[str]:
    """Return what became of each event: its status, or the code of its rejection."""
    return [one.error.code if one.error else one.status.value for one in outcomes]


def counted() -> tuple[int, int, int]:
    """Return how many events are kept, and how many the two roll-ups hold."""
    usage, metrics = (sum(rows.values_list("events", flat=True)) for rows in (UsageHour.objects, MetricHour.objects))
    return UsageEvent.objects.count(), usage, metrics


# --- counting once ---------------------------------------------------------------------------------------------------


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
    tokens = Decimal("123456789012345678.000000000001")

    send(*(event(name, subscription=subscription.id, properties={"tokens": tokens}) for name in "abc"))

    assert MetricHour.objects.get().total == Decimal("370370367037037034.000000000003")
    assert UsageHour.objects.get().tokens == Decimal("370370367037037034.000000000003")


# --- what an event looks like ----------------------------------------------------------------------------------------


WELL_FORMED = event(customer=UNKNOWN["customer"])
MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"transaction_id": None}, "required", "transaction_id"),
    ({"transaction_id": ""}, "invalid_transaction_id", "transaction_id"),
    ({"transaction_id": "x" * 256}, "invalid_transaction_id", "transaction_id"),
    ({"transaction_id": 5}, "invalid_transaction_id", "transaction_id"),
    ({"type": None}, "required", "type"),
    ({"type": "x" * 101}, "invalid_type", "type"),
    ({"properties": []}, "invalid_properties", "properties"),
    ({"customer": None}, "required", "credential"),
    ({"customer": "cust_x"}, "invalid_customer", "customer"),
    ({"customer": UNKNOWN["subscription"]}, "invalid_customer", "customer"),
    ({"subscription": 5}, "invalid_subscription", "subscription"),
    ({"credential": ["key"]}, "invalid_credential", "credential"),
    ({"weather": "fine"}, "unknown_field", "weather"),
    ({"timestamp": "2026-03-10T12:00:00"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "2026-03-10"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "yesterday"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": 1773144000}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "0001-01-01T00:00:00+14:00"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "1969-12-31T23:59:59Z"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp_in_future", "timestamp"),
    ({"timestamp": (LATER + timedelta(minutes=5, seconds=1)).isoformat()}, "timestamp_in_future", "timestamp"),
]


@pytest.mark.parametrize(("change", "code", "param"), MALFORMED, ids=lambda value: str(value)[:60])
def test_a_malformed_event_is_refused_by_field(change: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        parse_event({**WELL_FORMED, **change}, now=LATER)

    assert (refusal.value.code, refusal.value.param) == (code, param)


FITTING: list[dict[str, Any]] = [
    {},
    {"transaction_id": "x" * 255},
    {"type": "x" * 100},
    {"timestamp": "1970-01-01T00:00:00Z"},
    {"timestamp": "1970-01-01T12:00:00+12:00"},
    {"timestamp": (LATER + timedelta(minutes=5)).isoformat()},
    {"credential": "mc_0123456789abcdef"},
]


@pytest.mark.parametrize("change", FITTING, ids=lambda value: str(value)[:60])
def test_an_event_on_the_edge_is_taken(change: dict[str, Any]) -> None:
    parse_event({**WELL_FORMED, **change}, now=LATER)


@pytest.mark.parametrize("secret", ["sk-cust-", "sk_live_", "mcs_", "mk_live_"])
@pytest.mark.parametrize("field", ["credential", "subscription", "customer"])
def test_a_secret_is_refused_and_not_repeated(field: str, secret: str) -> None:
    value = f"{secret}0123456789abcdef0123456789abcdef"

    with pytest.raises(InvalidEvent) as refusal:
        parse_event({**event(), field: value}, now=LATER)

    assert refusal.value.code == f"invalid_{field}"
    assert value not in str(refusal.value)


NUMBERS: list[tuple[object, Decimal | None]] = [
    (5, Decimal(5)),
    ("5.50", Decimal("5.50")),
    (Decimal("1E+2"), Decimal(100)),
    (Decimal("1e-12"), Decimal("1e-12")),
    (Decimal("999999999999999999.999999999999"), Decimal("999999999999999999.999999999999")),
    (-3, Decimal(-3)),
    (Decimal("1e-13"), None),
    (Decimal("123456789012345678.1234567890123"), None),
    (10**18, None),
    ("1e999999", None),
    ("1e-999999", None),
    ("NaN", None),
    ("sNaN", None),
    ("-Infinity", None),
    ("five", None),
    (True, None),
    (0.5, None),
    (None, None),
    ([], None),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=repr)
def test_a_quantity_is_what_the_columns_keep_exactly(value: object, number: Decimal | None) -> None:
    assert quantity(value) == number


# --- whose it is -----------------------------------------------------------------------------------------------------


def whose(sent: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Send an event and return the customer, subscription and credential that it is kept on."""
    [outcome] = send(sent)
    assert outcome.status is ACCEPTED
    kept = UsageEvent.objects.get(transaction_id=sent["transaction_id"])
    assert outcome.attribution is not None
    found = outcome.attribution
    assert (kept.customer_id, kept.subscription_id, kept.credential_id) == (
        found.customer,
        found.subscription,
        found.credential,
    )
    return str(found.customer), found.subscription, found.credential


@pytest.mark.django_db
def test_the_credential_comes_before_the_subscription_and_that_before_the_customer() -> None:
    customer = make_customer()
    subscription, _ = metered(customer=customer)
    own = subscription.credentials.get()
    other, _ = metered()
    names = {"subscription": other.id, "customer": other.customer_id}

    assert whose(event("a", credential=own.id, **names)) == (customer.id, subscription.id, own.id)
    assert whose(event("b", subscription=subscription.id, customer=other.customer_id)) == (
        customer.id,
        subscription.id,
        None,
    )
    assert whose(event("c", customer=customer.id)) == (customer.id, subscription.id, None)


@pytest.mark.django_db
def test_a_client_id_names_its_credential() -> None:
    product = make_product(product_type="MCP_SERVER")
    subscription = make_subscription(plan=make_plan(product=product))
    credential = subscription.credentials.get()

    found = whose(event(credential=credential.client_id))

    assert found == (subscription.customer_id, subscription.id, credential.id)


@pytest.mark.django_db
def test_a_customers_key_follows_the_only_subscription_and_none_of_several() -> None:
    customer = make_customer()
    key = issue_customer_key(customer.id, name="all", scopes=["*"], now=NOW)
    assert whose(event("none", credential=key.id)) == (customer.id, None, key.id)

    first, _ = metered(customer=customer)
    assert whose(event("one", credential=key.id)) == (customer.id, first.id, key.id)

    metered(customer=customer)
    assert whose(event("two", credential=key.id)) == (customer.id, None, key.id)
    assert whose(event("two by customer", customer=customer.id)) == (customer.id, None, None)

    terminate_subscription(first.id, now=NOW + timedelta(hours=1))
    late = event("after", customer=customer.id, timestamp=(NOW + timedelta(hours=2)).isoformat())
    assert whose(late)[1] not in (None, first.id)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("minutes", "is_its_own"), [(-1, False), (0, True), (59, True), (60, False)], ids=["before", "start", "last", "end"]
)
def test_usage_belongs_to_a_subscription_while_it_runs(minutes: int, is_its_own: bool) -> None:
    subscription, _ = metered()
    terminate_subscription(subscription.id, now=NOW + timedelta(hours=1))
    moment = (NOW + timedelta(minutes=minutes)).isoformat()

    found = whose(event(subscription=subscription.id, timestamp=moment))

    assert found == (subscription.customer_id, subscription.id if is_its_own else None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("field", UNKNOWN)
def test_usage_of_nobody_is_kept_on_the_unclassified_customer_and_not_rated(field: str) -> None:
    assert whose(event(**{field: UNKNOWN[field]})) == (UNCLASSIFIED_ID, None, None)
    assert counted() == (1, 1, 0)


@pytest.mark.django_db
def test_usage_of_a_deleted_customer_is_nobodys() -> None:
    customer = make_customer()
    key = issue_customer_key(customer.id, name="k", scopes=["*"], now=NOW)
    assert whose(event("before", credential=key.id))[0] == customer.id
    delete_customer(customer.id, confirm=True, now=NOW)

    assert whose(event("by key", credential=key.id)) == (UNCLASSIFIED_ID, None, None)
    assert whose(event("by id", customer=customer.id)) == (UNCLASSIFIED_ID, None, None)


@pytest.mark.django_db
def test_usage_of_a_deleted_customers_subscription_is_nobodys() -> None:
    plan = make_plan(amount=Decimal(0))
    subscription = make_subscription(plan=plan)
    terminate_subscription(subscription.id, now=NOW + timedelta(hours=1))
    delete_customer(subscription.customer_id, confirm=True, now=LATER)

    assert whose(event(subscription=subscription.id)) == (UNCLASSIFIED_ID, None, None)


# --- roll-ups and series ---------------------------------------------------------------------------------------------


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
    series = usage_series(customer, first=date(2026, 3, 1), last=date(2026, 4, 30), grouping=grouping)
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

    series = usage_series(subscription.customer, first=date(2026, 3, 9), last=date(2026, 3, 10), grouping=Grouping.DAY)

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

    series = usage_series(subscription.customer, first=date(2026, 3, 1), last=date(2026, 3, 31), grouping=grouping)

    costs = [bucket.total.cost for bucket in series.buckets]
    assert series.total.cost > 1
    assert sum_exactly(costs) == series.total.cost
    for bucket in series.buckets:
        assert sum_exactly([count.cost for count in bucket.by_model.values()]) == bucket.total.cost


def sum_exactly(amounts: list[Decimal]) -> Decimal:
    """Return the sum without rounding."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))


# --- many senders ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_four_senders_of_the_same_events_count_them_once() -> None:
    metric = make_metric(event_type="call", aggregation="SUM", property="tokens")
    plan = make_plan(charges=[make_charge(metric)], amount=Decimal(0))
    subscriptions = [make_subscription(plan=plan) for _ in range(2)]
    events = [
        make_event(
            subscriptions[n % 2],
            at=NOW + timedelta(minutes=n),
            now=LATER,
            transaction_id=f"t{n}",
            properties={"tokens": n},
        )
        for n in range(500)
    ]

    def send_shuffled(sender: int) -> list[EventStatus]:
        mine = list(events)
        Random(sender).shuffle(mine)  # noqa: S311
        found: list[EventOutcome] = []
        for begin in range(0, len(mine), 100):
            found += record_events(mine[begin : begin + 100], now=LATER)
        return [one.status for one in found]

    found = [status for sender in at_once(4, send_shuffled) for status in sender]

    assert (found.count(ACCEPTED), found.count(DUPLICATE)) == (500, 1500)
    assert counted() == (500, 500, 500)
    assert sum(MetricHour.objects.values_list("total", flat=True)) == sum(range(500))
    assert LateUsage.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_unclassified_customer_is_there_also_where_tests_commit() -> None:
    assert whose(event(**UNKNOWN)) == (UNCLASSIFIED_ID, None, None)


@pytest.mark.django_db
def test_a_secret_of_a_live_key_is_refused_too() -> None:
    with issued_secrets() as issued:
        metered()

    assert statuses(send(event(credential=issued[0].shown_once["key"]))) == ["invalid_credential"]
    assert counted() == (0, 0, 0)
