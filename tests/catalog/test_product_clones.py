"""Clones of products: the same terms, and none of the past."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.errors import DuplicateCode
from catalog.models import Charge, Product, RatePlan
from catalog.operations.product_clones import clone_product
from catalog.operations.products import delete_product
from catalog.operations.rate_plans import activate_rate_plan, archive_rate_plan
from config.kernel.errors import Invalid, NotFound
from customers.models import Subscription
from tests.factories import NOW, make_charge, make_metric, make_plan, make_product, make_seats, make_subscription

pytestmark = pytest.mark.django_db


def clone_of(product: Product, code: str = "eu") -> Product:
    return clone_product(product.id, name="EU", code=code, now=NOW)


@pytest.mark.parametrize("stage", ["EXPERIMENTAL", "GA", "DEPRECATED", "RETIRED"])
def test_a_clone_begins_experimental_and_draft_wherever_its_original_is(stage: str) -> None:
    status = "IN_REVIEW" if stage == "EXPERIMENTAL" else "PUBLISHED"
    product = make_product(
        stage=stage, publish_status=status, product_type="MCP_SERVER", audience="PARTNER", description="Tools"
    )

    clone = clone_of(product)

    assert (clone.maturity_stage, clone.publish_status) == ("EXPERIMENTAL", "DRAFT")
    assert (clone.product_type, clone.audience, clone.description) == ("MCP_SERVER", "PARTNER", "Tools")
    assert (clone.name, clone.code) == ("EU", "eu")
    assert Product.objects.get(pk=product.pk).maturity_stage == stage


def test_the_plans_of_a_clone_are_drafts_with_the_same_terms_and_charges() -> None:
    metric = make_metric(dimensions=["model"])
    tiers = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}
    charges = [
        make_charge(
            metric, unit_amount="0.000000000001", match={"model": ["a", "b"]}, name="Fine", minimum_amount=Decimal(5)
        ),
        make_charge(make_seats(), model="VOLUME", properties=tiers, prorated=True),
    ]
    terms: dict[str, Any] = {
        "interval": "quarter", "amount": Decimal("49.9"), "currency": "JPY", "name": "Pro", "pay_in_advance": True,
        "trial_days": 14, "minimum_commitment": Decimal(100), "maximum_spend": Decimal(5000),
        "limits": {"rate_per_minute": 60, "quota_per_month": 10_000},
    }  # fmt: skip
    plan = make_plan(code="pro", charges=charges, **terms)

    copy = RatePlan.objects.get(product=clone_of(plan.product))

    assert (copy.status, copy.version, copy.code) == ("DRAFT", 1, "eu-pro")
    assert {name: getattr(copy, name) for name in terms} == terms
    columns = ("position", "metric", "name", "model", "properties", "match", "minimum_amount", "prorated")
    copied, original = (list(one.charges.values(*columns)) for one in (copy, plan))
    assert copied == original
    assert len(copied) == 2
    assert Charge.objects.count() == 4
    assert activate_rate_plan(copy.id, now=NOW).status == "ACTIVE"


def test_a_clone_has_no_subscription_and_no_archived_plan() -> None:
    subscription = make_subscription(plan=make_plan(code="pro"))
    product = subscription.plan.product
    archive_rate_plan(make_plan(product=product, code="old").id, now=NOW)
    make_plan(product=product, code="next", active=False)

    clone = clone_of(product)

    assert set(clone.rate_plans.values_list("code", "status")) == {("eu-pro", "DRAFT"), ("eu-next", "DRAFT")}
    assert list(Subscription.objects.all()) == [subscription]
    assert delete_product(clone.id, confirm=True).verdict.name == "WARN"


@pytest.mark.parametrize(
    ("code", "copied"),
    [("chat", "eu"), ("chat-pro", "eu-pro"), ("chat.pro", "eu.pro"), ("chatty", "eu-chatty"), ("pro", "eu-pro")],
)
def test_the_code_of_a_copied_plan_begins_with_that_of_the_clone(code: str, copied: str) -> None:
    product = make_plan(product=make_product(code="chat"), code=code).product

    assert RatePlan.objects.get(product=clone_of(product)).code == copied


def test_a_code_that_is_taken_leaves_no_half_a_clone() -> None:
    product = make_plan(code="pro").product
    make_plan(code="eu-pro")

    with pytest.raises(DuplicateCode, match="'eu-pro'"):
        clone_of(product)
    with pytest.raises(DuplicateCode, match=f"'{product.code}'"):
        clone_of(product, code=product.code)
    assert Product.objects.count() == 2
    assert clone_of(product, code="uk").rate_plans.get().code == "uk-pro"


def test_a_code_that_would_become_too_long_is_refused_before_anything_is_written() -> None:
    product = make_plan(code="p" * 90).product

    with pytest.raises(Invalid, match="over 100 characters"):
        clone_of(product, code="e" * 10)
    assert Product.objects.count() == 1
    assert len(clone_of(product, code="e" * 9).rate_plans.get().code) == 100


def test_what_is_not_there_is_not_cloned() -> None:
    for unknown in ("nonsense", "prod_01h455vb4pex5vsknk084sn02q"):
        with pytest.raises(NotFound):
            clone_product(unknown, name="N", code="n", now=NOW)
