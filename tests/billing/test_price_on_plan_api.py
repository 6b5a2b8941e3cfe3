"""A month of a customer's usage priced on any plan: exact, on the customer's calendar, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import MetricHour
from billing.queries import month_usage
from catalog.models import RatePlan
from config.kernel.ids import TypeID
from customers.models import Customer
from tests.api_client import code_of, refusal_of
from tests.billing.usage_wire import JANUARY, metered, use
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

MARCH_2 = datetime(2026, 3, 2, 9, tzinfo=UTC)
TIERS = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(MARCH_2, tick=False):
        yield


def priced(api: APIClient, customer: Customer | str, plan: RatePlan, month: str = "") -> Any:
    pk = customer if isinstance(customer, str) else customer.id
    query = {"plan": plan.id, **({"month": month} if month else {})}
    answer = api.get(f"/v1/customers/{pk}/price-on-plan", query)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content, parse_float=Decimal)


def amounts(found: Any) -> list[tuple[Any, Any]]:
    return [(one["units"], one["amount"]) for one in found["charges"]]


def test_last_months_usage_is_priced_on_a_draft_and_can_be_sent_on_as_it_is(api: APIClient) -> None:
    subscription = metered()
    tokens, images = (charge.metric for charge in subscription.plan.charges.order_by("position"))
    for number in range(12):
        use(subscription, f"2026-02-{number + 1:02}T10:00:00Z", "image")
    use(subscription, "2026-02-03T10:00:00Z", tokens=1000, model="a")
    use(subscription, "2026-02-04T11:00:00Z", tokens=Decimal("0.5"), model="b")
    use(subscription, "2026-01-31T23:59:59Z", "image")
    charges = [
        make_charge(images, model="GRADUATED", properties=TIERS),
        make_charge(tokens, match={"model": ["a"]}, unit_amount="0.01"),
        make_charge(tokens, unit_amount="2"),
    ]
    plan = make_plan(charges=charges, active=False, amount=Decimal(7))
    rows = MetricHour.objects.count()

    found = priced(api, subscription.customer, plan)

    assert amounts(found) == [(12, 11), (1000, 10), (Decimal("0.5"), 1)]
    assert (found["total"], found["base_fee"], found["currency"]) == (22, 7, "USD")
    assert found["period"] == {"start": "2026-02-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"}
    assert sorted(found["usage"], key=str) == sorted(
        [
            {"metric": images.id, "units": 12, "dimensions": {}},
            {"metric": tokens.id, "units": 1000, "dimensions": {"model": "a"}},
            {"metric": tokens.id, "units": Decimal("0.5"), "dimensions": {"model": "b"}},
        ],
        key=str,
    )
    assert (found["uncharged_usage"], found["plan"]) == ([], plan.id)
    again = api.post(f"/v1/rate-plans/{plan.id}/price", {"usage": json.loads(json.dumps(found["usage"], default=str))})
    again = json.loads(again.content, parse_float=Decimal)
    assert (again["charges"], again["total"]) == (found["charges"], found["total"])
    assert MetricHour.objects.count() == rows


def test_the_month_is_that_of_the_customers_calendar(api: APIClient) -> None:
    subscription = metered("America/New_York")
    for moment in ("2026-02-01T04:59:59Z", "2026-02-01T05:00:00Z", "2026-02-20T05:00:00Z"):
        use(subscription, moment, "image")
    customer, plan = subscription.customer, subscription.plan

    assert [amounts(priced(api, customer, plan, month))[1][0] for month in ("2026-01", "2026-02")] == [1, 2]
    assert priced(api, customer, plan)["period"]["start"] == "2026-02-01T05:00:00Z"


def test_a_charge_that_prices_each_event_gets_what_the_events_carry(api: APIClient) -> None:
    volume = make_metric(event_type="pay", aggregation="SUM", property="amount", dimensions=["kind"])
    now_on = make_plan(charges=[make_charge(volume, unit_amount="0.02")])
    subscription = make_subscription(plan=now_on, now=JANUARY)
    for hour, kind, amount, cost in ((9, "card", 100, 3), (8, "card", 40, 2), (10, "wire", 1000, 50)):
        use(subscription, f"2026-02-03T{hour:02}:00:00Z", "pay", amount=amount, kind=kind, cost=cost)
    percent = {"rate_percent": "1", "fixed_amount": "0.5", "free_events": "1"}
    plan = make_plan(
        charges=[
            make_charge(volume, model="PERCENTAGE", properties=percent, match={"kind": ["card"]}),
            make_charge(volume, model="DYNAMIC", properties={"property": "cost"}),
        ]
    )

    found = priced(api, subscription.customer, plan)

    # The earlier of the two cards is free.
    assert amounts(found) == [(140, Decimal("1.5")), (1, 50)]
    assert found["usage"] == [
        {"metric": volume.id, "event_amounts": [40, 100], "dimensions": {"kind": "card"}},
        {"metric": volume.id, "event_amounts": [50], "dimensions": {"kind": "wire"}},
    ]
    assert amounts(priced(api, subscription.customer, now_on)) == [(1140, Decimal("22.8"))]


def test_a_metric_that_was_not_counted_is_read_off_the_events(api: APIClient) -> None:
    subscription = metered()
    images = subscription.plan.charges.get(position=2).metric
    sizes = make_metric(event_type="image", aggregation="SUM", property="size")
    largest = make_metric(event_type="image", aggregation="MAX", property="size")
    for day, size in ((1, 5), (2, 7), (3, "huge"), (4, None)):
        properties = {} if size is None else {"size": size}
        use(subscription, f"2026-02-{day:02}T10:00:00Z", "image", **properties)
    plan = make_plan(charges=[make_charge(metric, unit_amount="1") for metric in (sizes, largest, images)])

    found = priced(api, subscription.customer, plan)

    assert amounts(found) == [(12, 12), (7, 7), (4, 4)]


def test_usage_that_the_plan_has_no_charge_for_is_named_and_costs_nothing(api: APIClient) -> None:
    subscription = metered()
    use(subscription, "2026-02-03T10:00:00Z", tokens=1000, model="a")
    use(subscription, "2026-02-03T10:00:00Z", "image")
    tokens, images = (charge.metric for charge in subscription.plan.charges.order_by("position"))
    plan = make_plan(charges=[make_charge(images, unit_amount="3"), make_charge(tokens, match={"model": ["z"]})])

    found = priced(api, subscription.customer, plan)

    assert (amounts(found), found["total"]) == ([(1, 3), (0, 0)], 3)
    assert found["uncharged_usage"] == [{"metric": tokens.id, "units": 1000, "dimensions": {"model": "a"}}]


def test_the_usage_of_all_subscriptions_counts_together_and_nobody_elses(api: APIClient) -> None:
    metric = make_metric(event_type="image", aggregation="MAX", property="size", dimensions=["kind"])
    customer, plan = make_customer(), make_plan(charges=[make_charge(metric, unit_amount="1")])
    one, two, stranger = (
        make_subscription(customer=owner, plan=plan, now=JANUARY) for owner in (customer, customer, make_customer())
    )
    for subscription, size, kind in ((one, 5, "a"), (two, 7, "b"), (one, 3, "b"), (stranger, 100, "a")):
        use(subscription, "2026-02-03T10:00:00Z", "image", size=size, kind=kind)

    assert amounts(priced(api, customer, plan)) == [(7, 7)]


def test_a_customer_without_usage_has_none(api: APIClient) -> None:
    found = priced(api, make_customer(), make_plan(charges=[make_charge(make_metric())]))

    assert (found["usage"], found["uncharged_usage"], found["total"]) == ([], [], 0)
    assert amounts(found) == [(0, 0)]


def test_more_events_than_one_answer_takes_are_refused(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(month_usage, "MAX_EVENTS", 2)
    subscription = metered()
    uncounted = make_plan(charges=[make_charge(make_metric(event_type="image"))])
    for minute in range(2):
        use(subscription, f"2026-02-03T10:0{minute}:00Z", "image")
    assert amounts(priced(api, subscription.customer, uncounted)) == [(2, Decimal("0.02"))]

    use(subscription, "2026-02-03T11:00:00Z", "image")

    path = f"/v1/customers/{subscription.customer_id}/price-on-plan"
    assert refusal_of(api.get(path, {"plan": uncounted.id})) == (400, "too_many_events", "month")
    # The roll-ups know what was counted, however much it is.
    assert amounts(priced(api, subscription.customer, subscription.plan))[1] == (3, Decimal("0.03"))


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({}, (400, "required", "plan")),
        ({"plan": "pro"}, (400, "invalid_plan", "plan")),
        ({"plan": TypeID.new("plan")}, (404, "rate_plan_not_found", "plan")),
        ({"month": "2026-13"}, (400, "invalid_month", "month")),
        ({"month": "2026-4"}, (400, "invalid_month", "month")),
        ({"month": "2026-04"}, (400, "invalid_month", "month")),
        ({"since": "2026-02"}, (400, "unknown_field", "since")),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    api: APIClient, query: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    path, plan = f"/v1/customers/{make_customer().id}/price-on-plan", make_plan()

    asked = {"plan": plan.id, **query} if query else {}
    assert refusal_of(api.get(path, asked)) == refusal
    assert api.get(path, {"plan": plan.id, "month": "2026-03"}).status_code == 200


def test_only_who_reads_bills_may_ask_and_only_of_customers_there_are(api_of: Callable[..., APIClient]) -> None:
    plan, customer = make_plan(), make_customer()
    path = f"/v1/customers/{customer.id}/price-on-plan?plan={plan.id}"

    assert api_of("billing:read").get(path).status_code == 200
    assert code_of(api_of("catalog:read").get(path)) == (403, "insufficient_scope")
    unknown = api_of("billing:read").get(f"/v1/customers/{TypeID.new('cust')}/price-on-plan?plan={plan.id}")
    assert code_of(unknown) == (404, "customer_not_found")
