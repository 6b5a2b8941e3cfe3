"""The verdicts on deleting a metric, on every way it can be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from catalog.errors import MetricDeletionBlocked
from catalog.models import Metric
from catalog.operations.metrics import create_metric, delete_metric
from catalog.operations.plan_deletion import delete_rate_plan
from catalog.operations.rate_plans import archive_rate_plan, update_rate_plan
from config.kernel.errors import NotFound
from config.kernel.guards import Verdict, deletion_report
from tests.api_client import code_of, error_of
from tests.catalog.bodies import PRICE
from tests.customers.test_deletion_concurrency import meanwhile
from tests.factories import NOW, make_charge, make_metric, make_plan, make_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_metric_{page}", args=arguments)


def charged_metric(status: str = "ACTIVE", **fields: Any) -> Metric:
    """Return a metric that one plan in ``status`` charges for."""
    metric = make_metric(**fields)
    plan = make_plan(name="Pro", charges=[make_charge(metric)], active=status != "DRAFT")
    if status == "ARCHIVED":
        archive_rate_plan(plan.id, now=NOW)
    return metric


def test_a_metric_that_nothing_charges_is_deleted_and_its_code_is_free_again() -> None:
    metric, other = make_metric(code="calls"), make_metric()

    assert delete_metric(metric.id).verdict is Verdict.ALLOW
    assert list(Metric.objects.all()) == [other]
    assert Metric.history.filter(id=metric.id, history_type="-").count() == 1
    assert create_metric(code="calls", name="Calls", aggregation="COUNT", now=NOW).code == "calls"


@pytest.mark.parametrize("status", ["DRAFT", "ACTIVE", "ARCHIVED"])
def test_a_metric_stays_while_a_plan_charges_for_it_whatever_its_status(status: str) -> None:
    metric = charged_metric(status)

    with pytest.raises(MetricDeletionBlocked) as refusal:
        delete_metric(metric.id)

    assert refusal.value.details["findings"] == [
        {
            "code": "charges", "verdict": "BLOCK", "count": 1,
            "message": "1 rate plan(s) charge for it: Pro; take it out of drafts, or delete the plans first",
        }
    ]  # fmt: skip
    assert Metric.objects.get() == metric


def test_the_refusal_counts_plans_and_not_charges_and_names_the_first_of_many() -> None:
    metric = make_metric(dimensions=["model"])
    charges = [make_charge(metric), make_charge(metric, match={"model": ["kimi"]})]
    for letter in "GFEDCBA":
        make_plan(name=f"{letter} {{count}}", charges=charges)

    [finding] = deletion_report(metric).findings

    assert finding.count == 7
    assert ": A {count}, B {count}, C {count}, D {count}, E {count} and 2 more; " in finding.message


def test_a_metric_goes_once_its_plans_do_without_it() -> None:
    metric = make_metric()
    draft = make_plan(charges=[make_charge(metric)], active=False)
    active = make_plan(charges=[make_charge(metric)])

    update_rate_plan(draft.id, charges=[], now=NOW)
    with pytest.raises(MetricDeletionBlocked):
        delete_metric(metric.id)
    delete_rate_plan(active.id, confirm=True)

    delete_metric(metric.id)
    assert not Metric.objects.exists()


def test_the_database_keeps_a_charged_metric_whoever_deletes_it() -> None:
    charged_metric()

    with pytest.raises(IntegrityError, match="catalog_charge"), transaction.atomic():
        connection.cursor().execute("DELETE FROM catalog_metric; SET CONSTRAINTS ALL IMMEDIATE")
    assert Metric.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_the_plan_and_is_then_blocked_by_it() -> None:
    metric, product = make_metric(), make_product()

    refusal = meanwhile(
        lambda: make_plan(product=product, charges=[make_charge(metric)]),
        lambda: delete_metric(metric.id),
    )

    assert isinstance(refusal, MetricDeletionBlocked)
    assert Metric.objects.get() == metric


@pytest.mark.django_db(transaction=True)
def test_a_plan_waits_for_the_deletion_and_then_finds_no_metric() -> None:
    metric, product = make_metric(), make_product()

    refusal = meanwhile(
        lambda: delete_metric(metric.id),
        lambda: make_plan(product=product, charges=[make_charge(metric)]),
    )

    assert isinstance(refusal, NotFound)
    assert refusal.noun == "metric"


def test_the_api_checks_and_deletes(api: APIClient) -> None:
    free, charged = make_metric(), charged_metric()
    path = f"/v1/metrics/{charged.id}"

    assert api.get(f"/v1/metrics/{free.id}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    answer = api.delete(f"/v1/metrics/{free.id}")
    assert answer.status_code == 200
    assert answer.json() == {"id": free.id, "deleted": True, "deleted_at": "2026-03-10T12:00:00Z"}
    assert code_of(api.get(f"/v1/metrics/{free.id}")) == (404, "metric_not_found")
    refused = api.delete(path)
    assert code_of(refused) == (409, "metric_deletion_blocked")
    assert error_of(refused)["details"] == api.get(f"{path}/deletion-check").json()
    assert api.get(path).status_code == 200


def test_the_api_deletes_the_version_that_was_read(api: APIClient) -> None:
    path = f"/v1/metrics/{make_metric().id}"
    read = api.get(path)["ETag"]

    assert code_of(api.delete(path, headers={"If-Match": '"another"'})) == (409, "version_mismatch")
    assert api.delete(path, headers={"If-Match": read}).status_code == 200


def test_the_api_finds_nothing_to_delete_under_an_unknown_id(api: APIClient) -> None:
    path = "/v1/metrics/metr_01h455vb4pex5vsknk084sn02q"

    assert {code_of(answer) for answer in (api.delete(path), api.get(f"{path}/deletion-check"))} == {
        (404, "metric_not_found")
    }


def test_the_page_says_what_blocks_and_leads_there(desk: Client) -> None:
    metric = charged_metric()
    make_plan(charges=[make_charge(make_metric())])

    page = desk.get(url("delete", metric.pk))
    desk.post(url("delete", metric.pk), {"confirmed": "yes", "reason": "Tidy"})

    [finding] = page.context["page"].reports[0][1].findings
    assert "charge for it: Pro" in page.content.decode()
    assert [plan.name for plan in desk.get(finding.link).context["cl"].result_list] == ["Pro"]
    assert Metric.objects.filter(pk=metric.pk).exists()


def test_many_are_deleted_at_once_and_those_in_use_left_alone(desk: Client) -> None:
    free, charged = make_metric(), charged_metric()
    chosen = {"action": "delete_selected", "_selected_action": [free.pk, charged.pk]}

    desk.post(url("changelist"), chosen)
    assert Metric.objects.count() == 2
    desk.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Never used"})

    row = Metric.history.filter(id=free.pk).latest("history_id")
    assert list(Metric.objects.all()) == [charged]
    assert (row.history_actor, row.history_change_reason) == ("olga", "Never used")


def test_a_reader_deletes_no_metric(reader: Client) -> None:
    metric = make_metric()

    answer = reader.post(url("delete", metric.pk), {"confirmed": "yes", "reason": "Tidy"})

    assert answer.status_code == 403
    assert Metric.objects.get() == metric


def test_the_list_leads_to_the_plans_that_charge_and_the_page_names_them(desk: Client) -> None:
    metric = make_metric(dimensions=["model"])
    charges = [make_charge(metric), make_charge(metric, match={"model": ["kimi"]}, properties=PRICE)]
    plan = make_plan(name="Pro", charges=charges)
    make_metric()

    listed = desk.get(url("changelist"))
    page = desk.get(url("change", metric.pk)).content.decode()

    assert [one.plan_count for one in listed.context["cl"].result_list] == [0, 1]
    assert f"?charges__metric__id__exact={metric.pk}" in listed.content.decode()
    assert reverse("admin:catalog_rateplan_change", args=[plan.pk.replace("_", "_5F")]) in page
    assert "$0.01 per unit" in page
    assert "$0.000000000001 per unit; only where model is kimi" in page
