"""The verdicts on deleting a rate plan, on every way it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from catalog.errors import RatePlanDeletionBlocked, RatePlanDeletionNeedsConfirmation
from catalog.models import Charge, Metric, Product, RatePlan
from catalog.operations.plan_deletion import delete_rate_plan
from catalog.operations.rate_plans import archive_rate_plan
from config.kernel.errors import NotFound
from config.kernel.guards import Verdict, deletion_report
from customers.operations.subscriptions import start_subscription, terminate_subscription
from tests.api_client import code_of, error_of
from tests.customers.test_deletion_concurrency import meanwhile
from tests.factories import NOW, make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_rateplan_{page}", args=arguments)


def plan_in(state: str) -> RatePlan:
    """Return a charged plan: DRAFT, ACTIVE, ARCHIVED, or with a subscription that is live, pending or ended."""
    plan = make_plan(charges=[make_charge(make_metric())], active=state != "DRAFT")
    match state:
        case "ARCHIVED":
            archive_rate_plan(plan.id, now=NOW)
        case "subscribed":
            make_subscription(plan=plan)
        case "to be subscribed":
            make_subscription(plan=plan, starts_at=NOW.replace(year=2027))
        case "ended":
            terminate_subscription(make_subscription(plan=plan).id, now=NOW)
        case "canceled":
            terminate_subscription(make_subscription(plan=plan, starts_at=NOW.replace(year=2027)).id, now=NOW)
        case "ended, archived":
            terminate_subscription(make_subscription(plan=plan).id, now=NOW)
            archive_rate_plan(plan.id, now=NOW)
    return RatePlan.objects.get(pk=plan.pk)


@pytest.mark.parametrize(
    ("state", "verdict", "codes"),
    [
        ("DRAFT", Verdict.ALLOW, []),
        ("ARCHIVED", Verdict.ALLOW, []),
        ("ACTIVE", Verdict.WARN, ["active_plan"]),
        ("subscribed", Verdict.BLOCK, ["active_subscriptions", "active_plan"]),
        ("to be subscribed", Verdict.BLOCK, ["active_subscriptions", "active_plan"]),
        ("ended", Verdict.BLOCK, ["billed_subscriptions", "active_plan"]),
        ("canceled", Verdict.BLOCK, ["billed_subscriptions", "active_plan"]),
        ("ended, archived", Verdict.BLOCK, ["billed_subscriptions"]),
    ],
)
def test_the_verdict_goes_by_who_subscribes_or_did(state: str, verdict: Verdict, codes: list[str]) -> None:
    plan = plan_in(state)
    plan_in("subscribed")

    report = deletion_report(plan)

    assert report.verdict is verdict
    assert [one.code for one in report.findings] == codes


@pytest.mark.parametrize("state", ["DRAFT", "ARCHIVED"])
def test_what_nobody_can_subscribe_to_goes_with_its_charges_and_without_a_question(state: str) -> None:
    plan, other = plan_in(state), plan_in("ACTIVE")

    delete_rate_plan(plan.id, confirm=False)

    connection.check_constraints()
    assert RatePlan.objects.get() == other
    assert Charge.objects.get().plan == other
    assert Metric.objects.count() == 2
    for model in (RatePlan, Charge):
        assert model.history.filter(history_type="-").count() == 1


def test_an_active_plan_goes_once_that_is_confirmed() -> None:
    plan = plan_in("ACTIVE")

    with pytest.raises(RatePlanDeletionNeedsConfirmation):
        delete_rate_plan(plan.id, confirm=False)
    assert Charge.objects.count() == 1

    assert delete_rate_plan(plan.id, confirm=True).verdict is Verdict.WARN
    connection.check_constraints()
    assert not RatePlan.objects.exists()
    assert not Charge.objects.exists()
    assert Product.objects.get().pk == plan.product_id


@pytest.mark.parametrize("state", ["subscribed", "ended", "canceled", "ended, archived"])
def test_what_somebody_ever_subscribed_to_stays_whatever_is_confirmed(state: str) -> None:
    plan = plan_in(state)

    with pytest.raises(RatePlanDeletionBlocked):
        delete_rate_plan(plan.id, confirm=True)
    assert RatePlan.objects.get() == plan
    assert Charge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_the_subscription_and_is_then_blocked_by_it() -> None:
    plan, customer = make_plan(), make_customer()

    refusal = meanwhile(
        lambda: start_subscription(customer=customer.id, plan=plan.id, now=NOW),
        lambda: delete_rate_plan(plan.id, confirm=True),
    )

    assert isinstance(refusal, RatePlanDeletionBlocked)
    assert RatePlan.objects.get() == plan


@pytest.mark.django_db(transaction=True)
def test_a_subscription_waits_for_the_deletion_and_then_finds_no_plan() -> None:
    plan, customer = make_plan(), make_customer()

    refusal = meanwhile(
        lambda: delete_rate_plan(plan.id, confirm=True),
        lambda: start_subscription(customer=customer.id, plan=plan.id, now=NOW),
    )

    assert isinstance(refusal, NotFound)
    assert refusal.noun == "rate_plan"


def test_the_api_deletes_once_confirmed_and_says_why_not(api: APIClient) -> None:
    draft, active, ended = plan_in("DRAFT"), plan_in("ACTIVE"), plan_in("ended")

    assert api.get(f"/v1/rate-plans/{draft.id}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    assert api.delete(f"/v1/rate-plans/{draft.id}").json() == {
        "id": draft.id, "deleted": True, "deleted_at": "2026-03-10T12:00:00Z"
    }  # fmt: skip

    path = f"/v1/rate-plans/{active.id}"
    refused = api.delete(path)
    assert code_of(refused) == (409, "rate_plan_deletion_needs_confirmation")
    assert error_of(refused)["details"] == api.get(f"{path}/deletion-check").json()
    assert api.delete(f"{path}?confirm=true").status_code == 200
    assert code_of(api.get(path)) == (404, "rate_plan_not_found")

    blocked = api.delete(f"/v1/rate-plans/{ended.id}?confirm=true")
    assert code_of(blocked) == (409, "rate_plan_deletion_blocked")
    assert error_of(blocked)["details"]["findings"][0] == {
        "code": "billed_subscriptions", "verdict": "BLOCK", "count": 1,
        "message": "1 ended subscription(s) had this plan, which explains their invoices; archive it instead",
    }  # fmt: skip
    assert RatePlan.objects.get() == ended


def test_a_key_deletes_where_it_may_write(api_of: Callable[..., APIClient]) -> None:
    path = f"/v1/rate-plans/{plan_in('DRAFT').id}"

    assert code_of(api_of("catalog:read").delete(path)) == (403, "insufficient_scope")
    assert api_of("catalog:read").get(f"{path}/deletion-check").status_code == 200
    assert api_of("catalog:write").delete(path).status_code == 200


def test_an_unknown_plan_is_not_found(api: APIClient) -> None:
    path = "/v1/rate-plans/plan_01h455vb4pex5vsknk084sn02q"

    assert {code_of(answer) for answer in (api.delete(path), api.get(f"{path}/deletion-check"))} == {
        (404, "rate_plan_not_found")
    }


@pytest.mark.parametrize("state", ["subscribed", "ended"])
def test_the_page_says_what_blocks_and_leads_there(desk: Client, state: str) -> None:
    plan = plan_in(state)
    plan_in(state)

    page = desk.get(url("delete", plan.pk))
    desk.post(url("delete", plan.pk), {"confirmed": "yes", "reason": "Tidy", "confirm": "on"})

    subscriptions = page.context["page"].reports[0][1].findings[0]
    assert subscriptions.message in page.content.decode()
    assert [one.plan for one in desk.get(subscriptions.link).context["cl"].result_list] == [plan]
    assert RatePlan.objects.filter(pk=plan.pk).exists()


@pytest.mark.parametrize(("ticked", "left"), [({}, True), ({"confirm": "on"}, False)])
def test_the_page_wants_an_active_plans_deletion_confirmed(desk: Client, ticked: dict[str, str], left: bool) -> None:
    plan = plan_in("ACTIVE")

    offered = desk.get(url("change", plan.pk)).content.decode()
    desk.post(url("delete", plan.pk), {"confirmed": "yes", "reason": "Tidy", **ticked})

    assert "/delete/" in offered
    assert RatePlan.objects.filter(pk=plan.pk).exists() is left


def test_many_are_deleted_at_once_and_those_in_use_left_alone(desk: Client) -> None:
    draft, active, subscribed = plan_in("DRAFT"), plan_in("ACTIVE"), plan_in("subscribed")
    chosen = {"action": "delete_selected", "_selected_action": [draft.pk, active.pk, subscribed.pk]}

    desk.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Season", "confirm": "on"})

    row = RatePlan.history.filter(id=draft.pk).latest("history_id")
    assert list(RatePlan.objects.all()) == [subscribed]
    assert (row.history_actor, row.history_change_reason) == ("olga", "Season")


def test_a_reader_deletes_no_plan(reader: Client) -> None:
    plan = plan_in("DRAFT")

    answer = reader.post(url("delete", plan.pk), {"confirmed": "yes", "reason": "Tidy"})

    assert answer.status_code == 403
    assert RatePlan.objects.get() == plan


def test_the_list_is_filtered_by_currency_and_metric_and_counts_the_charges(desk: Client) -> None:
    metric = make_metric(dimensions=["model"])
    charges = [make_charge(metric), make_charge(metric, match={"model": ["kimi"]}), make_charge(make_metric())]
    charged = make_plan(name="Pro", charges=charges, currency="EUR")
    plain = make_plan(name="Basic")

    def listed(**query: str) -> list[tuple[RatePlan, int]]:
        rows = desk.get(url("changelist"), query).context["cl"].result_list
        return [(plan, plan.charge_count) for plan in rows]

    assert listed() == [(plain, 0), (charged, 3)]
    assert listed(currency="EUR") == [(charged, 3)]
    assert listed(currency="USD") == [(plain, 0)]
    assert listed(charges__metric__id__exact=metric.pk) == [(charged, 3)]
    assert listed(q=plain.product.code) == [(plain, 0)]
