"""Taxes: a rate under a fixed code, on plans and add-ons, and kept while anything uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import ProtectedError

from catalog.errors import DuplicateCode, RatePlanNotDraft, TaxDeletionBlocked
from catalog.models import RatePlan, RatePlanTax, Tax
from catalog.operations.add_ons import delete_add_on
from catalog.operations.product_clones import clone_product
from catalog.operations.products import delete_product
from catalog.operations.rate_plans import archive_rate_plan, update_rate_plan
from catalog.operations.taxes import create_tax, delete_tax, set_plan_taxes, update_tax
from config.kernel.errors import Invalid, NotFound
from config.kernel.ids import TypeID
from tests.customers.test_deletion_concurrency import meanwhile
from tests.factories import NOW, make_add_on, make_plan, make_tax

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def taxes_of(plan: RatePlan) -> set[Tax]:
    return set(RatePlan.objects.get(pk=plan.pk).taxes.all())


def test_a_tax_keeps_twelve_decimals_of_its_rate_and_is_no_default_unless_it_says_so() -> None:
    tax = create_tax(code="vat", name="VAT", rate_percent=Decimal("7.000000000001"), now=NOW)

    tax.refresh_from_db()
    assert (tax.rate_percent, tax.is_default, tax.description) == (Decimal("7.000000000001"), False, "")
    assert (str(tax), tax.created_at, tax.updated_at) == ("VAT (7.000000000001%)", NOW, NOW)
    assert str(make_tax(name="VAT", rate_percent="20.00")) == "VAT (20%)"


def test_several_taxes_may_be_default_ones() -> None:
    first, second, other = make_tax(is_default=True), make_tax(), make_tax()

    update_tax(second.id, is_default=True, now=LATER)

    assert set(Tax.objects.default()) == {first, second}
    assert other not in Tax.objects.default()


def test_a_code_names_one_tax() -> None:
    make_tax(code="vat")

    with pytest.raises(DuplicateCode, match="The code 'vat' is already in use"):
        make_tax(code="vat")
    assert make_tax(code="vat-reduced").code == "vat-reduced"


def test_the_rate_changes_with_the_law_and_the_code_never_does() -> None:
    tax = make_tax(rate_percent="19")

    assert update_tax(tax.id, rate_percent=Decimal(19), now=LATER).updated_at == NOW
    assert update_tax(tax.id, rate_percent=Decimal(16), now=LATER).rate_percent == 16

    with pytest.raises(ProgrammingError, match="Cannot update rows"), transaction.atomic():
        Tax.objects.filter(pk=tax.pk).update(code="other")
    with pytest.raises(NotFound):
        update_tax(TypeID.new("tax"), name="None", now=LATER)


@pytest.mark.parametrize(
    ("rate", "is_taken"), [("-0.000000000001", False), ("0", True), ("100", True), ("100.1", False)]
)
def test_the_database_keeps_the_rate_between_nothing_and_everything(rate: str, is_taken: bool) -> None:
    tax = make_tax()

    if is_taken:
        assert Tax.objects.filter(pk=tax.pk).update(rate_percent=Decimal(rate)) == 1
    else:
        with pytest.raises(IntegrityError, match="tax_rate_is_a_percentage"), transaction.atomic():
            Tax.objects.filter(pk=tax.pk).update(rate_percent=Decimal(rate))


def test_a_draft_has_the_taxes_it_is_given_and_its_other_fields_besides() -> None:
    first, second = make_tax(), make_tax()
    plan = make_plan(taxes=[first.id], active=False)

    update_rate_plan(plan.id, name="New", taxes=[second.id, first.id], now=LATER)
    assert taxes_of(plan) == {first, second}
    update_rate_plan(plan.id, name="Newer", now=LATER)
    assert taxes_of(plan) == {first, second}
    update_rate_plan(plan.id, taxes=[], now=LATER)
    assert taxes_of(plan) == set()


@pytest.mark.parametrize("status", ["DRAFT", "ACTIVE", "ARCHIVED"])
def test_the_taxes_of_a_plan_change_whatever_its_status_and_its_prices_do_not(status: str) -> None:
    old, new = make_tax(), make_tax()
    plan = make_plan(taxes=[old.id], active=status != "DRAFT")
    if status == "ARCHIVED":
        archive_rate_plan(plan.id, now=NOW)

    changed = set_plan_taxes(plan.id, taxes=[new.id], now=LATER)

    assert taxes_of(plan) == {new}
    assert (changed.status, changed.updated_at) == (status, LATER)
    if status != "DRAFT":
        with pytest.raises(RatePlanNotDraft):
            update_rate_plan(plan.id, taxes=[old.id], amount=Decimal(1), now=LATER)
        assert taxes_of(plan) == {new}


def test_the_taxes_a_plan_has_already_are_no_change() -> None:
    taxes = [make_tax().id, make_tax().id]
    plan = make_plan(taxes=taxes)

    assert set_plan_taxes(plan.id, taxes=taxes[::-1], now=LATER).updated_at == NOW
    assert RatePlanTax.history.count() == 2


def test_a_tax_stands_once_on_a_plan_and_is_one_there_is() -> None:
    tax, plan = make_tax(), make_plan()

    with pytest.raises(Invalid, match="once") as twice:
        set_plan_taxes(plan.id, taxes=[tax.id, tax.id], now=LATER)
    assert twice.value.param == "taxes"
    with pytest.raises(NotFound) as missing:
        set_plan_taxes(plan.id, taxes=[tax.id, TypeID.new("tax")], now=LATER)
    assert (missing.value.noun, missing.value.param) == ("tax", "taxes")
    assert taxes_of(plan) == set()

    set_plan_taxes(plan.id, taxes=[tax.id], now=LATER)
    with pytest.raises(IntegrityError, match="rate_plan_has_a_tax_once"), transaction.atomic():
        RatePlanTax.objects.create(plan=plan, tax=tax)


def test_a_clone_has_the_taxes_of_what_it_copies_and_a_deleted_product_takes_its_links_along() -> None:
    tax = make_tax()
    plan = make_plan(taxes=[tax.id])

    clone = clone_product(plan.product_id, name="C", code="c", now=LATER)
    assert taxes_of(clone.rate_plans.get()) == {tax}

    for product in (plan.product_id, clone.id):
        delete_product(product, confirm=True)
    connection.check_constraints()
    assert not RatePlanTax.objects.exists()
    assert RatePlanTax.history.filter(history_type="-").count() == 2
    delete_tax(tax.id)


def make_plan_with(tax: Tax) -> Callable[[], object]:
    plan = make_plan(taxes=[tax.id])
    return lambda: set_plan_taxes(plan.id, taxes=[], now=LATER)


def make_add_on_with(tax: Tax) -> Callable[[], object]:
    add_on = make_add_on(taxes=[tax.id])
    return lambda: delete_add_on(add_on.id)


def make_default(tax: Tax) -> Callable[[], object]:
    update_tax(tax.id, is_default=True, now=NOW)
    return lambda: update_tax(tax.id, is_default=False, now=LATER)


@pytest.mark.parametrize(
    ("use", "code"), [(make_plan_with, "rate_plans"), (make_add_on_with, "add_ons"), (make_default, "default_tax")]
)
def test_a_tax_in_use_stays_and_goes_once_nothing_uses_it(
    use: Callable[[Tax], Callable[[], object]], code: str
) -> None:
    tax, other = make_tax(), make_tax()
    stop = use(tax)

    with pytest.raises(TaxDeletionBlocked) as refusal:
        delete_tax(tax.id)
    findings = refusal.value.details["findings"]
    assert isinstance(findings, list)
    assert [(one["code"], one["verdict"]) for one in findings] == [(code, "BLOCK")]
    assert all("1 " in one["message"] for one in findings if one["count"])

    delete_tax(other.id)
    stop()
    assert delete_tax(tax.id).findings == ()
    assert not Tax.objects.exists()


def test_the_database_keeps_a_tax_in_use() -> None:
    tax = make_tax()
    make_plan(taxes=[tax.id])

    with pytest.raises(ProtectedError):
        tax.delete()
    statements = "DELETE FROM catalog_tax; SET CONSTRAINTS ALL IMMEDIATE"
    with pytest.raises(IntegrityError, match="catalog_rateplantax"), transaction.atomic():
        connection.cursor().execute(statements)
    assert Tax.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_the_plan_that_takes_the_tax_and_is_then_blocked_by_it() -> None:
    tax, plan = make_tax(), make_plan()

    refusal = meanwhile(
        lambda: set_plan_taxes(plan.id, taxes=[tax.id], now=LATER),
        lambda: delete_tax(tax.id),
    )

    assert isinstance(refusal, TaxDeletionBlocked)
    assert taxes_of(plan) == {tax}
