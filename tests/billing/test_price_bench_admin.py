"""The price bench filled in with a month of a customer's usage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.queries import month_usage
from catalog.models import RatePlan
from customers.models import Customer
from tests.billing.usage_wire import JANUARY, metered, use
from tests.factories import make_charge, make_clerk, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

PERMISSIONS = ("view_rateplan", "view_usageevent")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        yield


def url(plan: RatePlan) -> str:
    return reverse("admin:catalog_rateplan_price_bench", args=[plan.pk])


def fill(desk: Client, plan: RatePlan, whose: Customer, **fields: str) -> Any:
    answer = desk.post(url(plan), {"fill": "1", "against": "", "customer": whose.pk, "month": "", **fields})
    assert answer.status_code == 200
    return answer


def test_last_months_usage_is_filled_in_and_priced_on_both_plans(desk: Client) -> None:
    subscription = metered()
    use(subscription, "2026-02-03T10:00:00Z", tokens=1000, model="a")
    use(subscription, "2026-02-03T10:00:00Z", "image")
    use(subscription, "2026-01-03T10:00:00Z", tokens=5, model="b")
    tokens, images = (charge.metric for charge in subscription.plan.charges.order_by("position"))
    plan = make_plan(charges=[make_charge(tokens, unit_amount="0.01")], amount=Decimal(90), active=False)

    answer = fill(desk, plan, subscription.customer, against=subscription.plan_id)

    sections = {one.metric: one.rows.forms for one in answer.context["bench"].sections}
    typed = [(row["dimension_0"].value(), row["units"].value()) for row in sections[tokens]]
    assert typed == [("a", 1000), (None, None), (None, None)]
    assert [row["units"].value() for row in sections[images]] == [1]
    mine, other = answer.context["prices"]
    assert (mine["total"], other["total"]) == ("$100.00", "$100.01")
    assert answer.context["uncharged"] == [{"plan": plan, "usage": [f"{images}: 1"]}]
    assert answer.context["told"] == f"Usage of {subscription.customer} in February 2026."
    january = fill(desk, plan, subscription.customer, month="2026-01")
    assert january.context["prices"][0]["amount"] == "$0.05"


def test_what_events_carried_is_filled_in_where_each_is_priced(desk: Client) -> None:
    subscription = metered()
    tokens = subscription.plan.charges.get(position=1).metric
    for day, number in ((3, 100), (4, 100), (5, 40)):
        use(subscription, f"2026-02-{day:02}T10:00:00Z", tokens=number, model="a")
    plan = make_plan(charges=[make_charge(tokens, model="PERCENTAGE", properties={"rate_percent": "10"})])

    answer = fill(desk, plan, subscription.customer, against=subscription.plan_id)

    row = answer.context["bench"].sections[0].rows.forms[0]
    assert (row["units"].value(), row["event_amounts"].value()) == (240, "2 x 100\n40")
    assert [one["amount"] for one in answer.context["prices"]] == ["$24.00", "$0.00024"]


def test_a_customer_who_used_nothing_is_told_so(desk: Client) -> None:
    customer = make_customer(name="Quiet", timezone="Asia/Tokyo")

    answer = fill(desk, make_plan(charges=[make_charge(make_metric())]), customer)

    assert answer.context["told"] == "Quiet used nothing in February 2026."
    assert answer.context["prices"][0]["amount"] == "$0.00"


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"customer": ""}, "customer"), ({"month": "02/2026"}, "month"), ({"month": "2026-04"}, "month")],
)
def test_what_cannot_be_filled_in_is_told_at_its_field_and_typed_rows_stay(
    desk: Client, fields: dict[str, str], field: str
) -> None:
    metric = make_metric()
    typed = {f"{metric.pk}-TOTAL_FORMS": "1", f"{metric.pk}-INITIAL_FORMS": "0", f"{metric.pk}-0-units": "77"}

    answer = fill(desk, make_plan(charges=[make_charge(metric)]), make_customer(), **{**typed, **fields})

    bench = answer.context["bench"]
    assert list(bench.source.errors) == [field]
    assert bench.sections[0].rows.forms[0]["units"].value() == "77"
    assert answer.context["prices"] == []


def test_more_events_than_the_page_takes_are_told(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(month_usage, "MAX_EVENTS", 1)
    subscription = metered()
    for day in (3, 4):
        use(subscription, f"2026-02-{day:02}T10:00:00Z", "image")
    plan = make_plan(charges=[make_charge(make_metric(event_type="image"))])

    answer = fill(desk, plan, subscription.customer)

    [complaint] = answer.context["bench"].source.errors["month"]
    assert complaint == "More than 1 events of February 2026 would have to be priced one by one"


def test_who_may_not_see_usage_is_not_offered_any() -> None:
    plan, customer = make_plan(), make_customer()
    for permissions, is_offered in ((PERMISSIONS, True), (PERMISSIONS[:1], False)):
        browser = Client()
        browser.force_login(make_clerk(*permissions))
        answer = fill(browser, plan, customer)
        assert (answer.context["bench"].source is not None) is is_offered
        assert (answer.context["told"] != "") is is_offered


def test_whose_usage_it_is_stays_typed_while_rows_are_priced(desk: Client) -> None:
    metric, customer = make_metric(), make_customer()
    typed = {f"{metric.pk}-TOTAL_FORMS": "1", f"{metric.pk}-INITIAL_FORMS": "0", f"{metric.pk}-0-units": "2"}
    sent = {"price": "1", "against": "", "customer": customer.pk, "month": "never", **typed}

    answer = desk.post(url(make_plan(charges=[make_charge(metric)])), sent)

    source = answer.context["bench"].source
    assert (source["customer"].value(), source["month"].value(), source.errors) == (customer.pk, "never", {})
    assert answer.context["prices"][0]["amount"] == "$0.02"


def test_seats_are_filled_in_as_they_are_and_priced_by_the_days_they_were_held(desk: Client) -> None:
    seats = make_metric(event_type="seat", aggregation="SUM", property="seats", recurring=True)
    plan = make_plan(charges=[make_charge(seats, unit_amount="28", prorated=True)], amount=Decimal(0))
    subscription = make_subscription(plan=plan, starts_at=JANUARY)
    use(subscription, "2026-01-20T10:00:00Z", "seat", seats=2)
    use(subscription, "2026-02-15T10:00:00Z", "seat", seats=1)

    answer = fill(desk, plan, subscription.customer)

    assert answer.context["bench"].sections[0].rows.forms[0]["units"].value() == 3
    # Two for all 28 days, one for 14 of them.
    assert answer.context["prices"][0]["total"] == "$70.00"
