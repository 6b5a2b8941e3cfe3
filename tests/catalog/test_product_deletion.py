"""The verdicts on deleting a product, and what goes with it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from catalog.errors import ProductDeletionBlocked, ProductDeletionNeedsConfirmation
from catalog.models import Charge, Product, RatePlan
from catalog.operations.products import delete_product
from catalog.operations.rate_plans import archive_rate_plan
from config.kernel.errors import NotFound
from config.kernel.guards import Verdict, deletion_report
from customers.operations.subscriptions import start_subscription
from tests.customers.test_deletion_concurrency import meanwhile
from tests.factories import NOW, make_charge, make_customer, make_metric, make_plan, make_product, make_subscription


def product_with(*statuses: str) -> Product:
    """Return a product with one charged plan in each status; SUBSCRIBED is an active one with a subscription."""
    product = make_product()
    for status in statuses:
        plan = make_plan(product=product, charges=[make_charge(make_metric())], active=status != "DRAFT")
        if status == "ARCHIVED":
            archive_rate_plan(plan.id, now=NOW)
        if status == "SUBSCRIBED":
            make_subscription(plan=plan)
    return product


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statuses", "verdict", "codes"),
    [
        ((), Verdict.ALLOW, []),
        (("DRAFT",), Verdict.WARN, ["rate_plans"]),
        (("ARCHIVED",), Verdict.WARN, ["rate_plans"]),
        (("ACTIVE",), Verdict.WARN, ["rate_plans"]),
        (("DRAFT", "ARCHIVED", "ACTIVE"), Verdict.WARN, ["rate_plans"]),
        (("DRAFT", "SUBSCRIBED"), Verdict.BLOCK, ["active_subscriptions", "rate_plans"]),
    ],
)
def test_the_verdict_goes_by_what_is_sold(statuses: tuple[str, ...], verdict: Verdict, codes: list[str]) -> None:
    product = product_with(*statuses)
    product_with("DRAFT", "SUBSCRIBED")

    report = deletion_report(product)

    assert report.verdict is verdict
    assert [one.code for one in report.findings] == codes
    plans = [one for one in report.findings if one.code == "rate_plans"]
    assert [one.count for one in plans] == ([len(statuses)] if statuses else [])


@pytest.mark.django_db
def test_all_plans_go_with_their_product_or_none_does() -> None:
    product, other = product_with("DRAFT", "ARCHIVED", "ACTIVE"), product_with("ACTIVE")

    with pytest.raises(ProductDeletionNeedsConfirmation):
        delete_product(product.id, confirm=False)
    assert RatePlan.objects.filter(product=product).count() == 3

    delete_product(product.id, confirm=True)
    connection.check_constraints()
    assert list(Product.objects.all()) == [other]
    assert RatePlan.objects.get().product == other
    assert Charge.objects.get().plan.product == other
    for model in (RatePlan, Charge):
        assert model.history.filter(history_type="-").count() == 3


@pytest.mark.django_db
def test_a_subscribed_product_keeps_all_its_plans() -> None:
    product = product_with("DRAFT", "SUBSCRIBED")

    with pytest.raises(ProductDeletionBlocked):
        delete_product(product.id, confirm=True)
    assert RatePlan.objects.filter(product=product).count() == 2
    assert Charge.objects.count() == 2


@pytest.mark.django_db
def test_the_database_keeps_a_subscribed_plan_also_from_one_who_deletes_it_before_its_charges() -> None:
    """The freeze covers charges of a plan that is there; the subscription keeps the plan itself."""
    product_with("SUBSCRIBED")
    delete = "DELETE FROM catalog_rateplan; DELETE FROM catalog_charge; SET CONSTRAINTS ALL IMMEDIATE"

    with pytest.raises(IntegrityError, match="customers_subscription"), transaction.atomic():
        connection.cursor().execute(delete)
    assert Charge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_the_subscription_and_is_then_blocked_by_it() -> None:
    plan, customer = make_plan(), make_customer()

    refusal = meanwhile(
        lambda: start_subscription(customer=customer.id, plan=plan.id, now=NOW),
        lambda: delete_product(plan.product_id, confirm=True),
    )

    assert isinstance(refusal, ProductDeletionBlocked)
    assert RatePlan.objects.filter(pk=plan.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_subscription_waits_for_the_deletion_and_then_finds_no_plan() -> None:
    plan, customer = make_plan(), make_customer()

    refusal = meanwhile(
        lambda: delete_product(plan.product_id, confirm=True),
        lambda: start_subscription(customer=customer.id, plan=plan.id, now=NOW),
    )

    assert isinstance(refusal, NotFound)
    assert refusal.noun == "rate_plan"
    assert not Product.objects.exists()
