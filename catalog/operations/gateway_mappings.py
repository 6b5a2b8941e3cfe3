"""Mappings of products to gateways: link, ask for a check or a restore, unlink."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from catalog.errors import DuplicateMapping, MappingDeletionNeedsConfirmation, ProductMappedAlready
from catalog.events import GatewayJobRequested, GatewayMappingUnlinked
from catalog.gateways import vendor_of
from catalog.models import Gateway, GatewayMapping, Product, SyncJob
from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.guards import Verdict, deletion_report

#: How often ``request_due_checks`` is called.
CHECKED_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_gateway_mapping(
    *, product: str, gateway: str, external_ref: str, accepts_approximations: bool = False, now: datetime
) -> GatewayMapping:
    """
    Link a product to an object at a gateway and ask for a first check; nothing is changed at the gateway.

    Raises:
        NotFound: unknown product or gateway.
        Invalid: the reference names nothing at this vendor.
        DuplicateMapping: a product is linked to the object already.
        ProductMappedAlready: the product is linked to another object at this gateway.
    """
    linked = Product.objects.lock(product, param="product")
    connected = Gateway.objects.find(gateway, param="gateway")
    mapping = GatewayMapping(
        product=linked,
        gateway=connected,
        external_ref=_checked_ref(connected, external_ref),
        accepts_approximations=accepts_approximations,
        job=SyncJob.CHECK,
        job_number=1,
        requested_at=now,
        created_at=now,
        updated_at=now,
    )
    refusals = {
        "gateway_mapping_one_per_object": DuplicateMapping(value=external_ref),
        "gateway_mapping_one_per_product": ProductMappedAlready(value=linked.name),
    }
    with refusing(refusals):
        mapping.save(force_insert=True)
    publish(GatewayJobRequested(gateway_id=connected.id))
    return mapping


@transaction.atomic
def update_gateway_mapping(mapping_id: str, *, now: datetime, **changes: Any) -> GatewayMapping:
    """
    Change ``external_ref`` or ``accepts_approximations`` and ask for a check.

    Raises:
        NotFound: unknown mapping.
        Invalid, DuplicateMapping: as when it is created.
    """
    mapping = GatewayMapping.objects.select_related("gateway").lock(mapping_id)
    if "external_ref" in changes:
        changes["external_ref"] = _checked_ref(mapping.gateway, changes["external_ref"])
    changed = mapping.assign(changes)
    if changed:
        if "external_ref" in changed:
            mapping.record_digest = mapping.gateway_digest = ""
        with refusing({"gateway_mapping_one_per_object": DuplicateMapping(value=mapping.external_ref)}):
            mapping.save_changes(*changed, "record_digest", "gateway_digest", now=now)
        _ask(mapping, SyncJob.CHECK, now)
    return mapping


@transaction.atomic
def request_check(mapping_id: str, *, now: datetime) -> GatewayMapping:
    """
    Ask for a look at the gateway; while a restore waits that is left to it.

    Raises:
        NotFound: unknown mapping.
    """
    mapping = GatewayMapping.objects.lock(mapping_id)
    _ask(mapping, SyncJob(mapping.job or SyncJob.CHECK), now)
    return mapping


@transaction.atomic
def request_restore(mapping_id: str, *, now: datetime) -> GatewayMapping:
    """
    Ask for our record to be pushed to the gateway and for a look that confirms it.

    Raises:
        NotFound: unknown mapping.
    """
    mapping = GatewayMapping.objects.lock(mapping_id)
    mapping.restore_requested_at = now
    mapping.save_changes("restore_requested_at", now=now)
    _ask(mapping, SyncJob.RESTORE, now)
    return mapping


@transaction.atomic
def request_checks_at(gateway_id: str, *, now: datetime) -> list[GatewayMapping]:
    """
    Ask for a look at everything that is mapped to a gateway.

    Raises:
        NotFound: unknown gateway.
    """
    return [request_check(pk, now=now) for pk in _mapped_to(gateway_id)]


@transaction.atomic
def request_restores_at(gateway_id: str, *, now: datetime) -> list[GatewayMapping]:
    """
    Ask for our record of everything that is mapped to a gateway to be pushed there.

    Raises:
        NotFound: unknown gateway.
    """
    return [request_restore(pk, now=now) for pk in _mapped_to(gateway_id)]


def _mapped_to(gateway_id: str) -> list[str]:
    """Return the ids of a gateway's mappings, in the order in which rows are locked."""
    gateway = Gateway.objects.find(gateway_id)
    return list(gateway.mappings.order_by("id").values_list("pk", flat=True))


def check_mappings_of(product_id: str, *, now: datetime) -> None:
    """Ask for a look at every gateway of a product whose record changed; part of the operation that changed it."""
    found = GatewayMapping.objects.filter(product_id=product_id).order_by("id")
    for mapping in found.select_for_update():
        _ask(mapping, SyncJob(mapping.job or SyncJob.CHECK), now)


@transaction.atomic
def request_due_checks(*, now: datetime) -> int:
    """
    Ask for a look at the mappings that none had for ``GATEWAY_CHECK_MINUTES``, and return of how many.

    A share of all at a time, those that waited longest first, so that the looks spread over the interval.
    """
    interval = timedelta(minutes=settings.GATEWAY_CHECK_MINUTES)
    share = ceil(GatewayMapping.objects.count() * CHECKED_EVERY / interval) + 1
    due = GatewayMapping.objects.unchecked_since(now - interval).order_by(F("last_checked_at").asc(nulls_first=True))
    mappings = list(due.select_for_update(skip_locked=True)[:share])
    for mapping in mappings:
        _ask(mapping, SyncJob.CHECK, now)
    return len(mappings)


@transaction.atomic
def delete_gateway_mapping(mapping_id: str, *, confirm: bool = False) -> None:
    """
    Unlink the product; what is at the gateway stays there, and keys are no longer sent.

    Raises:
        NotFound: unknown mapping.
        MappingDeletionNeedsConfirmation: there are consequences, and ``confirm`` is false.
    """
    mapping = GatewayMapping.objects.lock(mapping_id)
    report = deletion_report(mapping)
    if report.verdict is not Verdict.ALLOW and not confirm:
        raise MappingDeletionNeedsConfirmation(**report.document())
    unlink(mapping)


def unlink(mapping: GatewayMapping) -> None:
    """Delete a locked mapping; part of the operations that do."""
    publish(GatewayMappingUnlinked(mapping_id=mapping.id, product_id=mapping.product_id, gateway_id=mapping.gateway_id))
    mapping.delete()


def _checked_ref(gateway: Gateway, ref: str) -> str:
    """Return the reference without blanks around it; refuse what the vendor cannot look up."""
    try:
        vendor_of(gateway.vendor).check_ref(ref.strip())
    except ValueError as error:
        raise Invalid("external_ref", str(error)) from error
    return ref.strip()


def _ask(mapping: GatewayMapping, job: SyncJob, now: datetime) -> None:
    """Note the job on a locked mapping; one that is under way is overtaken, so that its result counts no more."""
    # Notes for workers are no change of the mapping, and stand in no history.
    GatewayMapping.objects.filter(pk=mapping.pk).update(
        job=job,
        job_number=mapping.job_number + 1,
        requested_at=now,
        attempts=0,
        next_try_at=None,
        claimed_until=None,
        progress={},
    )
    mapping.refresh_from_db()
    # Who asks now wants to know now, whatever was found a moment ago.
    Gateway.objects.filter(pk=mapping.gateway_id).update(paused_until=None)
    publish(GatewayJobRequested(gateway_id=mapping.gateway_id))
