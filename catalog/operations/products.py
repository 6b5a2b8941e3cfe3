"""Products: create, change, advance through the life cycle, publish, delete."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from catalog.errors import (
    DuplicateCode,
    ExperimentalNotPublished,
    InvalidPublishStatus,
    InvalidStageTransition,
    ProductDeletionBlocked,
    ProductDeletionNeedsConfirmation,
)
from catalog.events import ProductPublished, ProductRetired, ProductRetiring, ProductStageChanged
from catalog.models import Audience, Documentation, GatewayMapping, MaturityStage, Product, PublishStatus, RatePlan
from catalog.operations.documentation import follow_openapi_url, refuse_openapi_url
from catalog.operations.gateway_mappings import check_mappings_of, unlink
from catalog.operations.plan_deletion import remove_plan
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
    openapi_url: str = ""


@transaction.atomic
def create_product(fields: ProductFields, *, product_type: str, now: datetime) -> Product:
    """
    Create a product: EXPERIMENTAL and DRAFT, wherever it may go later.

    Raises:
        DuplicateCode: another product has the code.
        Invalid: ``openapi_url`` is none that we call.
    """
    refuse_openapi_url(fields.openapi_url)
    product = insert_product(fields, product_type=product_type, now=now)
    follow_openapi_url(product, now=now)
    return product


def insert_product(fields: ProductFields, *, product_type: str, now: datetime) -> Product:
    """
    Write a new product down and ask for nothing yet; part of the operations that make one.

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
        Invalid: ``openapi_url`` is none that we call.
    """
    refuse_openapi_url(changes.get("openapi_url", ""))
    product = Product.objects.lock(product_id)
    if changed := product.assign(changes):
        with refusing({"catalog_product_code_key": DuplicateCode(value=product.code)}):
            product.save_changes(*changed, now=now)
        check_mappings_of(product.id, now=now)
    if "openapi_url" in changed:
        follow_openapi_url(product, now=now)
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
    check_mappings_of(product.id, now=now)
    publish(ProductStageChanged(product_id=product.id, previous=previous, stage=to))
    if to == MaturityStage.RETIRED:
        publish(ProductRetired(product_id=product.id))
    return product


@transaction.atomic
def set_publish_status(product_id: str, *, to: str, now: datetime) -> Product:
    """
    Move the product one step towards the storefront, out of it, or back to where its publication began.

    Raises:
        InvalidPublishStatus: ``to`` is no step from where it stands, or would publish what is EXPERIMENTAL.
    """
    product = Product.objects.lock(product_id)
    allowed = product.next_publish_statuses
    if to not in allowed:
        is_shut = product.publish_status == PublishStatus.IN_REVIEW and to == PublishStatus.PUBLISHED
        refusal = ExperimentalNotPublished if is_shut else InvalidPublishStatus
        raise refusal(publish_status=product.publish_status, to=to, allowed=allowed)

    product.publish_status = to
    product.save_changes("publish_status", now=now)
    if to == PublishStatus.PUBLISHED:
        publish(ProductPublished(product_id=product.id))
    return product


@transaction.atomic
def delete_product(product_id: str, *, confirm: bool) -> DeletionReport:
    """
    Delete the product with its rate plans and mappings to gateways, and return the report it was deleted under.

    Raises:
        ProductDeletionBlocked: something stands in the way.
        ProductDeletionNeedsConfirmation: there are consequences and ``confirm`` is not set.
    """
    product, plans = lock_with_plans(product_id)
    report = deletion_report(product)
    if report.verdict is Verdict.BLOCK:
        raise ProductDeletionBlocked(**report.document())
    if report.verdict is Verdict.WARN and not confirm:
        raise ProductDeletionNeedsConfirmation(**report.document())
    for plan in plans:
        remove_plan(plan)
    for mapping in GatewayMapping.objects.filter(product=product).select_for_update():
        unlink(mapping)
    for documentation in Documentation.objects.filter(product=product):
        documentation.delete()
    product.delete()
    return report


def lock_with_plans(product_id: str) -> tuple[Product, list[RatePlan]]:
    """
    Lock a product and all its rate plans until the transaction ends, and return them.

    Plans are locked before their product, as a new subscription does, so that neither waits for the other in a circle.

    Raises:
        NotFound: unknown product.
    """
    plans = RatePlan.objects.filter(product=Product.objects.find(product_id)).order_by("id").select_for_update()
    list(plans)
    product = Product.objects.lock(product_id)
    # Drafts made in between are there now, and no more can come.
    return product, list(plans.all())
