"""Products: create, change, advance through the life cycle, delete."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import pgtrigger
from django.db import transaction

from catalog.errors import (
    DuplicateCode,
    InvalidStageTransition,
    ProductDeletionBlocked,
    ProductDeletionNeedsConfirmation,
)
from catalog.events import ProductRetiring, ProductStageChanged
from catalog.models import MaturityStage, Product, RatePlan
from catalog.models.product import Audience
from config.kernel.constraints import refusing
from config.kernel.events import publish
from config.kernel.guards import DeletionReport, Verdict, deletion_report


@dataclass(frozen=True, kw_only=True)
class ProductFields:
    """What an operator fills in; the type is fixed once the product exists."""

    code: str
    name: str
    description: str = ""
    audience: str = Audience.EXTERNAL


@transaction.atomic
def create_product(fields: ProductFields, *, product_type: str, now: datetime) -> Product:
    """
    Create a product in EXPERIMENTAL.

    Raises:
        DuplicateCode: another product has the code.
    """
    product = Product(**asdict(fields), product_type=product_type, created_at=now, updated_at=now)
    with refusing({"catalog_product_code_key": DuplicateCode(value=fields.code)}):
        product.save(force_insert=True)
    return product


@transaction.atomic
def update_product(product_id: str, *, now: datetime, **changes: str) -> Product:
    """
    Change the named fields of :class:`ProductFields`.

    Raises:
        DuplicateCode: another product has the code.
    """
    product = Product.objects.lock(product_id)
    if changed := product.assign(changes):
        with refusing({"catalog_product_code_key": DuplicateCode(value=product.code)}):
            product.save_changes(*changed, now=now)
    return product


@transaction.atomic
def advance_product(product_id: str, *, to: str, now: datetime) -> Product:
    """
    Move the product one stage forward.

    Raises:
        InvalidStageTransition: ``to`` is not the stage that follows.
    """
    product = Product.objects.lock(product_id)
    allowed = MaturityStage(product.maturity_stage).next
    if allowed is None or to != allowed:
        raise InvalidStageTransition(stage=product.maturity_stage, to=to, allowed=[allowed.value] if allowed else [])
    if to == MaturityStage.RETIRED:
        publish(ProductRetiring(product_id=product.id))

    previous, product.maturity_stage = product.maturity_stage, to
    product.save_changes("maturity_stage", now=now)
    publish(ProductStageChanged(product_id=product.id, previous=previous, stage=to))
    return product


@transaction.atomic
def delete_product(product_id: str, *, confirm: bool) -> DeletionReport:
    """
    Delete the product together with its rate plans, and return the report it was deleted under.

    Raises:
        ProductDeletionBlocked: something stands in the way.
        ProductDeletionNeedsConfirmation: there are consequences and ``confirm`` is not set.
    """
    product = Product.objects.lock(product_id)
    report = deletion_report(product)
    if report.verdict is Verdict.BLOCK:
        raise ProductDeletionBlocked(**report.document())
    if report.verdict is Verdict.WARN and not confirm:
        raise ProductDeletionNeedsConfirmation(**report.document())
    # A plan nobody subscribed to may go although it is active; the freeze protects what somebody may owe for.
    with pgtrigger.ignore("catalog.Charge:charge_of_a_plan_in_use_is_frozen"):
        for plan in RatePlan.objects.filter(product=product):
            plan.delete()
    product.delete()
    return report
