"""Coupons at the desk: their value is asked for as it goes together, and shown in words from then on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import Coupon
from catalog.operations.coupons import terminate_coupon
from config.kernel.admin import change_url
from tests.factories import NOW, make_coupon, make_metric, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

HOUR = timedelta(hours=1)
FIELDS = {"code": "welcome", "name": "Welcome", "is_reusable": "on", "limited_to": "", "frequency": "once"}
FIXED = {**FIELDS, "kind": "fixed_amount", "amount": "10", "currency": "USD"}
SHARE = {**FIELDS, "kind": "percentage", "rate_percent": "15"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_coupon_{page}", args=arguments)


def found(desk: Client, **query: Any) -> list[Coupon]:
    return list(desk.get(url("changelist"), query).context["cl"].result_list)


def test_a_fixed_amount_is_created_and_what_belongs_to_other_kinds_is_forgotten(desk: Client) -> None:
    left_over = {"rate_percent": "a lot", "periods": "0", "plans": [make_plan().pk], "metrics": ["none"]}

    desk.post(url("add"), {**FIXED, **left_over})

    coupon = Coupon.objects.get()
    assert (coupon.kind, coupon.amount, coupon.currency, coupon.rate_percent) == (
        "fixed_amount", Decimal(10), "USD", None
    )  # fmt: skip
    assert (coupon.periods, coupon.plans.count(), coupon.is_reusable) == (None, 0, True)
    assert [row.history_actor for row in coupon.history.all()] == ["olga"]


def test_a_recurring_share_of_some_plans_is_created_and_shown_in_words(desk: Client, reader: Client) -> None:
    plan = make_plan(name="Pro")
    asked = {"frequency": "recurring", "periods": "3", "limited_to": "plans", "plans": [plan.pk], "is_reusable": ""}

    desk.post(url("add"), {**SHARE, **asked, "expires_at_0": "2026-04-01", "expires_at_1": "00:00"})

    coupon = Coupon.objects.get()
    assert (coupon.rate_percent, coupon.periods, list(coupon.plans.all())) == (Decimal(15), 3, [plan])
    assert (coupon.amount, coupon.currency, coupon.is_reusable) == (None, None, False)
    assert coupon.expires_at is not None
    for browser in (desk, reader):
        page = browser.get(url("change", coupon.pk)).content.decode()
        for shown in ("15%", "3 billing periods", change_url(plan), "Fixed once the coupon exists", "Active"):
            assert shown in page
        assert 'name="rate_percent"' not in page


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({**FIXED, "amount": "", "currency": ""}, {"amount", "currency"}),
        ({**FIXED, "amount": "0"}, {"amount"}),
        ({**FIXED, "amount": "-1"}, {"amount"}),
        ({**FIXED, "currency": "usd"}, {"currency"}),
        ({**SHARE, "rate_percent": ""}, {"rate_percent"}),
        ({**SHARE, "rate_percent": "0"}, {"rate_percent"}),
        ({**SHARE, "rate_percent": "101"}, {"rate_percent"}),
        ({**SHARE, "frequency": "recurring"}, {"periods"}),
        ({**SHARE, "frequency": "recurring", "periods": "1001"}, {"periods"}),
        ({**SHARE, "limited_to": "plans"}, {"plans"}),
        ({**SHARE, "limited_to": "metrics", "plans": []}, {"metrics"}),
        ({**SHARE, "expires_at_0": "2026-03-10", "expires_at_1": "12:00"}, {"expires_at"}),
        ({**SHARE, "code": "taken"}, {"code"}),
        ({**FIELDS, "kind": ""}, {"kind"}),
    ],
)
def test_what_is_wrong_is_told_at_its_field(desk: Client, typed: dict[str, Any], fields: set[str]) -> None:
    make_coupon(code="taken")

    form = desk.post(url("add"), typed).context["adminform"].form

    assert set(form.errors) == fields
    assert Coupon.objects.count() == 1


def test_nothing_is_no_discount_and_is_refused_in_words(desk: Client) -> None:
    for typed, field in (({**FIXED, "amount": "0"}, "amount"), ({**SHARE, "rate_percent": "0"}, "rate_percent")):
        form = desk.post(url("add"), typed).context["adminform"].form
        assert form.errors == {field: ["Must be above 0."]}
    assert desk.post(url("add"), {**FIXED, "amount": "0.01"}).status_code == 302


def test_only_the_description_and_the_end_change_later(desk: Client) -> None:
    coupon = make_coupon(code="old", rate_percent="10")

    desk.post(
        url("change", coupon.pk),
        {**SHARE, "name": "New", "description": "For fairs", "expires_at_0": "2026-03-10", "expires_at_1": "13:00",
         "change_reason": "Fair is over"},
    )  # fmt: skip

    coupon.refresh_from_db()
    row = coupon.history.latest("history_id")
    assert (coupon.name, coupon.description, coupon.expires_at) == ("New", "For fairs", NOW + HOUR)
    assert (coupon.code, coupon.rate_percent, coupon.history.count()) == ("old", Decimal(10), 2)
    assert (row.history_actor, row.history_change_reason) == ("olga", "Fair is over")


def test_a_termination_asks_first_and_is_offered_once(desk: Client) -> None:
    coupon = make_coupon()
    address = url("terminate", coupon.pk)

    assert [one["title"] for one in desk.get(url("change", coupon.pk)).context["actions_detail"]] == ["Terminate"]
    assert "There is no way back" in desk.get(address).content.decode()
    assert Coupon.objects.get().terminated_at is None
    desk.post(address, {"confirmed": "yes", "reason": "Leaked"})

    coupon.refresh_from_db()
    assert coupon.terminated_at == NOW
    assert coupon.history.latest("history_id").history_change_reason == "Leaked"
    assert desk.get(url("change", coupon.pk)).context["actions_detail"] == []
    again = desk.post(address, {"confirmed": "yes", "reason": "Leaked"})
    assert again.context["form"].non_field_errors() == ["The coupon is terminated already"]


def test_a_coupon_is_deleted_with_its_limits(desk: Client) -> None:
    coupon, other = make_coupon(metrics=[make_metric().id]), make_coupon()

    desk.post(url("delete", coupon.pk), {"confirmed": "yes", "reason": "Typo"})

    assert list(Coupon.objects.all()) == [other]
    assert [row.history_change_reason for row in coupon.history.filter(history_type="-")] == ["Typo"]


def test_a_product_whose_plan_a_coupon_is_limited_to_leads_to_the_coupon(desk: Client) -> None:
    product = make_plan().product
    plans = [plan.id for plan in (make_plan(product=product), make_plan(product=product))]
    coupon = make_coupon(plans=plans)
    make_coupon(plans=[make_plan().id])

    page = desk.get(reverse("admin:catalog_product_delete", args=[product.pk]))

    blocking = page.context["page"].reports[0][1].findings[0]
    assert (blocking.code, blocking.verdict.name, blocking.count) == ("limited_coupons", "BLOCK", 1)
    assert list(desk.get(blocking.link).context["cl"].result_list) == [coupon]


def test_the_list_is_filtered_and_searched_and_asks_as_often_for_many_as_for_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    metric = make_metric()
    fixed = make_coupon(amount="5", metrics=[metric.id], expires_at=NOW + HOUR)
    forever = make_coupon(frequency="forever", code="for-ever")
    ended = terminate_coupon(make_coupon(frequency="recurring", periods=1).id, now=NOW)

    with django_assert_max_num_queries(8):
        page = desk.get(url("changelist")).content.decode()
    for shown in ("$5.00", "10%", "1 billing period", "Forever", "Some metrics", "Everything"):
        assert shown in page
    assert (found(desk, kind__exact="fixed_amount"), found(desk, q="for-ever")) == ([fixed], [forever])
    assert (found(desk, status="terminated"), found(desk, frequency__exact="forever")) == ([ended], [forever])
    assert found(desk, metrics__id__exact=metric.pk) == [fixed]


def test_a_reader_changes_nothing(reader: Client) -> None:
    coupon = make_coupon()

    assert reader.get(url("changelist")).status_code == 200
    answers = [reader.get(url("add")), reader.post(url("change", coupon.pk))]
    answers += [
        reader.post(url(page, coupon.pk), {"confirmed": "yes", "reason": "x"}) for page in ("terminate", "delete")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert Coupon.objects.get().terminated_at is None
