"""Versions of rate plans at the desk: drafted by a button, their changes side by side, and who is on the older ones."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import RatePlan
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.rate_plans import update_rate_plan
from customers.operations.subscriptions import terminate_subscription
from tests.factories import NOW, make_charge, make_clerk, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_rateplan_{page}", args=[quote(one) for one in arguments])


def panels(browser: Client, plan: RatePlan) -> dict[str, str]:
    return {one.title: " ".join(one.content.split()) for one in browser.get(url("change", plan.pk)).context["panels"]}


def test_a_frozen_plan_leads_to_its_next_version(desk: Client) -> None:
    plan = make_plan(code="pro", name="Pro", charges=[make_charge(make_metric())])

    page = desk.get(url("change", plan.pk))
    asked = desk.get(url("new_version", plan.pk))
    form = asked.context["form"]
    answer = desk.post(
        url("new_version", plan.pk), {"confirmed": "yes", "name": "Pro 2", "code": "pro", "reason": "Season"}
    )

    assert f'For other prices <a href="{url("new_version", plan.pk)}"' in page.content.decode()
    assert (form["name"].value(), form["code"].value()) == ("Pro", "pro")
    copy = RatePlan.objects.get(version=2)
    assert answer["Location"] == url("change", copy.pk)
    assert (copy.name, copy.status, copy.charges.count()) == ("Pro 2", "DRAFT", 1)
    assert [row.history_change_reason for row in copy.history.all()] == ["Season"]
    assert "its prices are frozen" not in desk.get(answer["Location"]).content.decode()


def test_a_code_that_is_taken_is_told_at_its_field(desk: Client) -> None:
    plan = make_plan()
    make_plan(code="taken")

    answer = desk.post(url("new_version", plan.pk), {"confirmed": "yes", "name": "", "code": "taken"})

    assert list(answer.context["form"].errors) == ["code"]
    assert RatePlan.objects.count() == 2


def test_a_reader_is_offered_no_new_version(reader: Client) -> None:
    plan = make_plan()

    page = reader.get(url("change", plan.pk)).content.decode()

    assert "its prices are frozen" in page
    assert url("new_version", plan.pk) not in page
    assert reader.post(url("new_version", plan.pk), {"confirmed": "yes"}).status_code == 403


def test_a_version_shows_what_it_changes_side_by_side(desk: Client) -> None:
    metric = make_metric(name="Tokens")
    tiers = [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]
    plan = make_plan(charges=[make_charge(metric, model="GRADUATED", properties={"tiers": tiers})], amount=Decimal(49))
    copy = clone_rate_plan(plan.id, now=NOW)
    title = "What changes against version 1"
    assert "Nothing yet" in panels(desk, copy)[title]
    tiers = [tiers[0], {"up_to": "100", "unit_amount": "0.75"}, {"up_to": None, "unit_amount": "0.5"}]
    update_rate_plan(
        copy.id,
        amount=Decimal(59),
        limits={"rate_per_minute": 1000},
        charges=[
            make_charge(metric, model="GRADUATED", properties={"tiers": tiers}),
            make_charge(make_metric(name="Calls")),
        ],
        now=NOW,
    )

    shown = panels(desk, copy)[title]

    rows = [cell.strip() for cell in shown.replace("</td>", "|").replace("</th>", "|").split("|")]
    told = [cell.rpartition(">")[2].strip() for cell in rows]
    pairs = [
        ("$49.00", "$59.00"),
        ("–", "Requests per minute: 1,000"),
        ("0 to 10: $1.00 per unit", "0 to 10: $1.00 per unit"),
        ("above 10: $0.50 per unit", "10 to 100: $0.75 per unit"),
        ("–", "above 100: $0.50 per unit"),
    ]
    for before, after in pairs:
        assert after in told[told.index(before) + 1 :]
    assert "Calls" in shown
    assert "Added" in shown
    assert title not in panels(desk, plan)


def test_a_version_shows_who_runs_on_the_ones_before_with_the_way_to_them(desk: Client) -> None:
    now = timezone.now()
    plan, other = make_plan(), make_plan()
    running = [make_subscription(plan=plan) for _ in range(2)]
    make_subscription(plan=plan, starts_at=now + timedelta(days=3), now=now)
    terminate_subscription(make_subscription(plan=plan).id, at=None, now=now)
    make_subscription(plan=other)
    copy = clone_rate_plan(plan.id, now=now)

    page = desk.get(url("change", copy.pk))
    [shown] = [one.content for one in page.context["panels"] if one.title == "Subscriptions concerned"]

    path = f"{reverse('admin:customers_subscription_changelist')}?plan__id__exact={plan.pk}&status"
    assert (
        f'{path}=active" class="text-primary-600 underline dark:text-primary-500">2</a>'.replace("&", "&amp;") in shown
    )
    assert (
        f'{path}=pending" class="text-primary-600 underline dark:text-primary-500">1</a>'.replace("&", "&amp;") in shown
    )
    assert "2 subscriptions still run on earlier versions" in " ".join(shown.split())
    listed = desk.get(f"{path}=active").context["cl"].result_list
    assert {one.pk for one in listed} == {one.pk for one in running}
    assert "still run" not in panels(desk, plan)["Subscriptions concerned"]
    assert "still run" not in panels(desk, other)["Subscriptions concerned"]


def test_who_may_not_see_subscriptions_sees_no_figures_of_them() -> None:
    plan, browser = make_subscription().plan, Client()
    browser.force_login(make_clerk("view_rateplan"))

    assert panels(browser, plan) == {}
