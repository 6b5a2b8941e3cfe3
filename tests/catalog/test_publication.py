"""The publish status of products: it goes by its steps, whoever writes, and decides what the storefront shows."""

from __future__ import annotations

from itertools import product as pairs

import pytest
from django.db import IntegrityError, connection, transaction

from catalog.errors import InvalidPublishStatus
from catalog.events import ProductPublished, ProductRetired
from catalog.models import Audience, Product, PublishStatus
from catalog.operations.products import advance_product, set_publish_status
from tests.events import heard
from tests.factories import NOW, make_product

pytestmark = pytest.mark.django_db

STATUSES = ["DRAFT", "IN_REVIEW", "PUBLISHED", "ARCHIVED"]
STEPS = {
    ("DRAFT", "IN_REVIEW"),
    ("IN_REVIEW", "PUBLISHED"),
    ("IN_REVIEW", "DRAFT"),
    ("PUBLISHED", "ARCHIVED"),
    ("ARCHIVED", "DRAFT"),
}
PAIRS = list(pairs(STATUSES, STATUSES))


def status_of(product: Product) -> str:
    return Product.objects.get(pk=product.pk).publish_status


@pytest.mark.parametrize(("status", "to"), PAIRS)
def test_a_product_takes_the_steps_of_publication_and_no_others(status: str, to: str) -> None:
    product = make_product(publish_status=status)

    with heard(ProductPublished) as published:
        if (status, to) in STEPS:
            assert set_publish_status(product.id, to=to, now=NOW).publish_status == to
        else:
            with pytest.raises(InvalidPublishStatus) as refusal:
                set_publish_status(product.id, to=to, now=NOW)
            assert set(refusal.value.details["allowed"]) == {step for before, step in STEPS if before == status}  # type: ignore[call-overload]
    assert status_of(product) == (to if (status, to) in STEPS else status)
    is_published = (status, to) == ("IN_REVIEW", "PUBLISHED")
    assert published == ([ProductPublished(product_id=product.id)] if is_published else [])


@pytest.mark.parametrize(("status", "to"), PAIRS)
def test_the_database_takes_the_steps_of_publication_and_no_others(status: str, to: str) -> None:
    product = make_product(publish_status=status)

    if (status, to) in STEPS or status == to:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE catalog_product SET publish_status = %s WHERE id = %s", [to, product.id.uuid])
        assert status_of(product) == to
    else:
        with pytest.raises(IntegrityError, match="goes by its steps"), transaction.atomic():
            Product.objects.filter(pk=product.pk).update(publish_status=to)


@pytest.mark.parametrize("to", ["", "published", "NOWHERE"])
def test_what_is_no_publish_status_is_refused_by_the_operation_and_by_the_database(to: str) -> None:
    product = make_product(publish_status="IN_REVIEW")

    with pytest.raises(InvalidPublishStatus):
        set_publish_status(product.id, to=to, now=NOW)
    with pytest.raises(IntegrityError, match="goes by its steps"), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(publish_status=to)


def test_what_is_experimental_is_not_published_until_it_has_advanced() -> None:
    product = make_product(stage="EXPERIMENTAL", publish_status="IN_REVIEW")

    with pytest.raises(InvalidPublishStatus, match="advance it first") as refusal:
        set_publish_status(product.id, to="PUBLISHED", now=NOW)
    assert refusal.value.details["allowed"] == ["DRAFT"]
    with pytest.raises(IntegrityError, match="experimental_is_not_published"), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(publish_status="PUBLISHED")
    assert status_of(product) == "IN_REVIEW"

    advance_product(product.id, to="BETA", now=NOW)
    assert set_publish_status(product.id, to="PUBLISHED", now=NOW).publish_status == "PUBLISHED"


def test_maturity_and_publication_do_not_move_each_other() -> None:
    product = make_product(stage="DEPRECATED", publish_status="PUBLISHED")

    with heard(ProductRetired) as retired:
        product = advance_product(product.id, to="RETIRED", now=NOW)

    assert (product.maturity_stage, product.publish_status) == ("RETIRED", "PUBLISHED")
    assert retired == [ProductRetired(product_id=product.id)]
    assert set_publish_status(product.id, to="ARCHIVED", now=NOW).maturity_stage == "RETIRED"


@pytest.mark.parametrize(
    ("stage", "status", "is_shown"),
    [
        ("BETA", "PUBLISHED", True),
        ("GA", "PUBLISHED", True),
        ("DEPRECATED", "PUBLISHED", False),
        ("RETIRED", "PUBLISHED", False),
        ("EXPERIMENTAL", "IN_REVIEW", False),
        ("GA", "DRAFT", False),
        ("GA", "IN_REVIEW", False),
        ("GA", "ARCHIVED", False),
    ],
)
def test_the_storefront_shows_what_is_published_in_beta_or_ga(stage: str, status: str, is_shown: bool) -> None:
    product = make_product(stage=stage, publish_status=status)

    assert list(Product.objects.in_storefront(Audience.EXTERNAL)) == ([product] if is_shown else [])
    assert list(PublishStatus) == STATUSES
