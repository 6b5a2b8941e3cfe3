"""Taxes at the desk, and those of rate plans."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import RatePlan, RatePlanTax, Tax
from catalog.operations.rate_plans import archive_rate_plan
from catalog.operations.taxes import set_plan_taxes
from config.kernel.ids import TypeID
from tests.factories import NOW, make_add_on, make_clerk, make_plan, make_product, make_tax

pytestmark = pytest.mark.django_db

FIELDS = {"code": "vat-de", "name": "VAT", "rate_percent": "19", "description": "", "is_default": "on"}
CONFIRMED = {"confirmed": "yes", "reason": "New law"}


def url(page: str, *arguments: Any, model: str = "tax") -> str:
    return reverse(f"admin:catalog_{model}_{page}", args=arguments)


def plan_form(**fields: Any) -> dict[str, Any]:
    """Return what a browser sends for a plan without charges."""
    counts = {"charges-TOTAL_FORMS": "0", "charges-INITIAL_FORMS": "0"}
    defaults = {"code": "pro", "name": "Pro", "interval": "month", "amount": "49", "currency": "USD"}
    return {**defaults, **counts, **fields}


def test_a_tax_is_created_changed_and_deleted_with_its_reasons_kept(desk: Client) -> None:
    desk.post(url("add"), FIELDS)
    tax = Tax.objects.get()
    assert (tax.code, tax.rate_percent, tax.is_default) == ("vat-de", Decimal(19), True)

    changed = {"code": "other", "name": "VAT", "rate_percent": "16.5", "change_reason": "Half a year"}
    desk.post(url("change", tax.pk), changed)
    tax.refresh_from_db()
    assert (tax.code, tax.rate_percent, tax.is_default) == ("vat-de", Decimal("16.5"), False)

    rows = Tax.history.order_by("history_id")
    desk.post(url("delete", tax.pk), CONFIRMED)
    assert not Tax.objects.exists()
    assert [(row.history_actor, row.history_change_reason) for row in rows] == [
        ("olga", ""), ("olga", "Half a year"), ("olga", "New law")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "taken"}, "code"),
        ({"code": "VAT"}, "code"),
        ({"rate_percent": "-1"}, "rate_percent"),
        ({"rate_percent": "100.5"}, "rate_percent"),
        ({"rate_percent": ""}, "rate_percent"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(desk: Client, wrong: dict[str, str], field: str) -> None:
    make_tax(code="taken")

    form = desk.post(url("add"), {**FIELDS, **wrong}).context["adminform"].form

    assert list(form.errors) == [field]
    assert Tax.objects.count() == 1


def test_a_tax_in_use_stays_and_its_report_leads_to_what_uses_it(desk: Client) -> None:
    tax, free = make_tax(), make_tax()
    plan, add_on = make_plan(taxes=[tax.id]), make_add_on(taxes=[tax.id])
    make_plan(taxes=[free.id])
    make_add_on()

    page = desk.get(url("delete", tax.pk))
    desk.post(url("delete", tax.pk), {**CONFIRMED, "confirm": "on"})

    findings = page.context["page"].reports[0][1].findings
    shown = [list(desk.get(finding.link).context["cl"].result_list) for finding in findings]
    assert shown == [[plan], [add_on]]
    assert Tax.objects.filter(pk=tax.pk).exists()


def test_the_list_is_filtered_and_searched_and_opens_for_readers(
    desk: Client, reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    default = make_tax(name="VAT", rate_percent="7.25", is_default=True)
    others = [make_tax() for _ in range(5)]

    with django_assert_max_num_queries(8):
        page = reader.get(url("changelist"))
    assert "7.25%" in page.content.decode()
    assert list(desk.get(url("changelist"), {"is_default__exact": 1}).context["cl"].result_list) == [default]
    assert list(desk.get(url("changelist"), {"q": others[0].code}).context["cl"].result_list) == [others[0]]
    assert "7.25" in reader.get(url("change", default.pk)).content.decode()
    answers = [reader.get(url("add")), reader.post(url("change", default.pk)), reader.post(url("delete", default.pk))]
    assert {answer.status_code for answer in answers} == {403}


def test_a_draft_is_given_taxes_on_its_form(desk: Client) -> None:
    first, second = make_tax(), make_tax()
    product = make_product().pk

    desk.post(url("add", model="rateplan"), plan_form(product=product, taxes=[first.pk]))
    plan = RatePlan.objects.get()
    assert list(plan.taxes.all()) == [first]
    form = desk.get(url("change", plan.pk, model="rateplan")).context["adminform"].form
    assert form["taxes"].value() == [first.pk]

    desk.post(url("change", plan.pk, model="rateplan"), plan_form(product=product, taxes=[second.pk]))
    assert list(plan.taxes.all()) == [second]
    unknown = plan_form(product=product, taxes=[TypeID.new("tax")])
    form = desk.post(url("change", plan.pk, model="rateplan"), unknown).context["adminform"].form
    assert list(form.errors) == ["taxes"]
    desk.post(url("change", plan.pk, model="rateplan"), plan_form(product=product))
    assert not plan.taxes.exists()


@pytest.mark.parametrize("status", ["ACTIVE", "ARCHIVED"])
def test_the_taxes_of_a_plan_that_is_sold_are_set_by_an_action(desk: Client, status: str) -> None:
    old, new = make_tax(name="Old VAT"), make_tax(name="New VAT")
    plan = make_plan(taxes=[old.id])
    if status == "ARCHIVED":
        archive_rate_plan(plan.id, now=NOW)
    page, address = url("change", plan.pk, model="rateplan"), url("set_taxes", plan.pk, model="rateplan")

    assert "Old VAT (19%)" in desk.get(page).content.decode()
    assert "Set taxes" in [one["title"] for one in desk.get(page).context["actions_detail"]]
    assert desk.get(address).context["form"]["taxes"].value() == [old.pk]
    desk.post(address, {**CONFIRMED, "taxes": [new.pk]})

    assert list(plan.taxes.all()) == [new]
    rows = [*plan.history.all()[:1], *RatePlanTax.history.order_by("-history_id")[:2]]
    assert {(row.history_actor, row.history_change_reason) for row in rows} == {("olga", "New law")}
    assert "New VAT (19%)" in desk.get(page).content.decode()


def test_the_history_of_a_plan_names_the_taxes_that_came_and_went(desk: Client) -> None:
    old, new = make_tax(name="Old VAT"), make_tax(name="New VAT")
    plan = make_plan(taxes=[old.id])
    make_plan(taxes=[make_tax(name="Stranger").id])
    desk.post(url("set_taxes", plan.pk, model="rateplan"), {**CONFIRMED, "taxes": [new.pk]})

    entries = desk.get(url("history", plan.pk, model="rateplan")).context["entries"]

    links = [
        (one.kind, one.changes[0].label, one.changes[0].new, one.row.history_change_reason)
        for one in entries
        if one.is_link
    ]
    assert links == [
        ("Added", "Tax", "New VAT (19%)", "New law"),
        ("Removed", "Tax", "Old VAT (19%)", "New law"),
        ("Added", "Tax", "Old VAT (19%)", ""),
    ]
    assert [one.kind for one in entries if not one.is_link] == ["Changed", "Changed", "Created"]


def test_a_long_history_tells_each_tax_on_one_of_its_pages(desk: Client) -> None:
    taxes = [make_tax(), make_tax()]
    plan = make_plan()
    for number in range(60):
        set_plan_taxes(plan.id, taxes=[taxes[number % 2].id], now=NOW)

    pages = [desk.get(url("history", plan.pk, model="rateplan"), {"p": page}).context["entries"] for page in (1, 2)]

    rows = [entry.row.pk for entries in pages for entry in entries if entry.is_link]
    assert sorted(rows) == sorted(RatePlanTax.history.values_list("pk", flat=True))
    assert [sum(not one.is_link for one in entries) for entries in pages] == [50, 12]


def test_a_draft_offers_no_such_action_and_a_reader_runs_none(desk: Client) -> None:
    draft, plan, tax = make_plan(active=False), make_plan(), make_tax()
    clerk = Client()
    clerk.force_login(make_clerk())

    pages = [desk.get(url("change", one.pk, model="rateplan")) for one in (draft, plan)]
    offered = [[action["title"] for action in page.context["actions_detail"]] for page in pages]
    answer = clerk.post(url("set_taxes", plan.pk, model="rateplan"), {**CONFIRMED, "taxes": [tax.pk]})

    assert ["Set taxes" in " ".join(titles) for titles in offered] == [False, True]
    assert answer.status_code == 403
    assert not RatePlanTax.objects.exists()
