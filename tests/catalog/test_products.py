"""Products: their life cycle goes one step forward at a time, whoever writes."""

from __future__ import annotations

from itertools import pairwise
from itertools import product as pairs

import pytest
from django.db import IntegrityError, connection, transaction

from catalog.errors import (
    DuplicateCode,
    InvalidStageTransition,
    ProductDeletionBlocked,
    ProductDeletionNeedsConfirmation,
)
from catalog.events import ProductStageChanged
from catalog.models import Charge, MaturityStage, Product, RatePlan
from catalog.operations.products import (
    ProductFields,
    advance_product,
    create_product,
    delete_product,
    update_product,
)
from config.kernel.errors import NotFound
from customers.errors import ProductHasSubscriptions
from customers.operations.subscriptions import terminate_subscription
from tests.events import heard
from tests.factories import NOW, make_charge, make_metric, make_plan, make_product, make_subscription

pytestmark = pytest.mark.django_db

STAGES = ["EXPERIMENTAL", "BETA", "GA", "DEPRECATED", "RETIRED"]
STEPS = set(pairwise(STAGES))
PAIRS = list(pairs(STAGES, STAGES))


def test_a_product_begins_in_experimental() -> None:
    product = create_product(ProductFields(code="p", name="P"), product_type="AI_AGENT", now=NOW)

    assert (product.maturity_stage, product.product_type, product.audience) == ("EXPERIMENTAL", "AI_AGENT", "EXTERNAL")
    assert list(MaturityStage) == STAGES


@pytest.mark.parametrize(("stage", "to"), PAIRS)
def test_a_product_goes_to_the_next_stage_and_nowhere_else(stage: str, to: str) -> None:
    product = make_product(stage=stage)

    if (stage, to) in STEPS:
        with heard(ProductStageChanged) as changed:
            assert advance_product(product.id, to=to, now=NOW).maturity_stage == to
        assert changed == [ProductStageChanged(product_id=product.id, previous=stage, stage=to)]
    else:
        with pytest.raises(InvalidStageTransition) as refusal:
            advance_product(product.id, to=to, now=NOW)
        assert refusal.value.details["allowed"] == [following for before, following in STEPS if before == stage]
        assert Product.objects.get(pk=product.pk).maturity_stage == stage


@pytest.mark.parametrize(("stage", "to"), PAIRS)
def test_the_database_lets_a_product_go_to_the_next_stage_and_nowhere_else(stage: str, to: str) -> None:
    product = make_product(stage=stage)
    statement = "UPDATE catalog_product SET maturity_stage = %s WHERE id = %s"

    if (stage, to) in STEPS or stage == to:
        with connection.cursor() as cursor:
            cursor.execute(statement, [to, product.id.uuid])
        assert Product.objects.get(pk=product.pk).maturity_stage == to
    else:
        with pytest.raises(IntegrityError, match="one stage forward"), transaction.atomic():
            Product.objects.filter(pk=product.pk).update(maturity_stage=to)


@pytest.mark.parametrize("to", ["", "ga", "NOWHERE"])
def test_what_is_no_stage_is_refused_by_the_operation_and_by_the_database(to: str) -> None:
    product = make_product(stage="BETA")

    with pytest.raises(InvalidStageTransition):
        advance_product(product.id, to=to, now=NOW)
    with pytest.raises(IntegrityError, match="one stage forward"), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(maturity_stage=to)


def test_a_product_retires_when_its_last_subscription_has_ended() -> None:
    subscription = make_subscription(plan=make_plan(product=make_product(stage="GA")))
    product = advance_product(subscription.plan.product_id, to="DEPRECATED", now=NOW)

    with pytest.raises(ProductHasSubscriptions) as refusal:
        advance_product(product.id, to="RETIRED", now=NOW)
    assert refusal.value.details == {"count": 1}
    assert Product.objects.get(pk=product.pk).maturity_stage == "DEPRECATED"

    terminate_subscription(subscription.id, now=NOW)
    assert advance_product(product.id, to="RETIRED", now=NOW).maturity_stage == "RETIRED"


def test_a_code_names_one_product() -> None:
    product, other = make_product(code="one"), make_product(code="two")

    with pytest.raises(DuplicateCode, match="The code 'one' is already in use"):
        make_product(code="one")
    with pytest.raises(DuplicateCode):
        update_product(other.id, code="one", now=NOW)
    assert update_product(other.id, code="three", now=NOW).code == "three"
    with pytest.raises(IntegrityError, match="catalog_product_code_key"), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(code="three")


def test_what_stays_the_same_is_no_change() -> None:
    product = make_product(name="Same")

    update_product(product.id, name="Same", now=NOW)

    assert product.history.filter(history_type="~").count() == 2, "the two steps to GA, and no third change"


def test_the_database_knows_the_types_of_products() -> None:
    paper = Product(code="paper", name="Paper", product_type="NEWSPAPER", created_at=NOW, updated_at=NOW)

    with pytest.raises(IntegrityError, match="product_type_is_known"), transaction.atomic():
        paper.save()


def test_a_product_without_plans_is_deleted_without_a_question() -> None:
    product = make_product()

    assert delete_product(product.id, confirm=False).findings == ()
    with pytest.raises(NotFound):
        delete_product(product.id, confirm=False)


def test_plans_go_with_their_product_once_that_is_confirmed() -> None:
    plan = make_plan(charges=[make_charge(make_metric())])

    with pytest.raises(ProductDeletionNeedsConfirmation):
        delete_product(plan.product_id, confirm=False)
    assert RatePlan.objects.filter(pk=plan.pk).exists()

    delete_product(plan.product_id, confirm=True)
    assert not RatePlan.objects.filter(pk=plan.pk).exists()
    assert not Charge.objects.exists()


def test_a_product_that_somebody_ever_subscribed_to_is_never_deleted() -> None:
    subscription = make_subscription()
    product = subscription.plan.product_id

    for code in ("active_subscriptions", "billed_subscriptions"):
        with pytest.raises(ProductDeletionBlocked) as refusal:
            delete_product(product, confirm=True)
        findings = refusal.value.details["findings"]
        assert isinstance(findings, list)
        assert findings[0]["code"] == code
        if code == "active_subscriptions":
            terminate_subscription(subscription.id, now=NOW)
    assert Product.objects.filter(pk=product).exists()
