"""Mappings: products linked to objects at gateways, looked at when our record changes, unlinked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.errors import DuplicateMapping, ProductMappedAlready
from catalog.events import GatewayJobRequested, GatewayMappingUnlinked
from catalog.models import Gateway, GatewayMapping
from catalog.operations.gateway_mappings import (
    create_gateway_mapping,
    delete_gateway_mapping,
    request_check,
    request_checks_at,
    request_restore,
    request_restores_at,
    update_gateway_mapping,
)
from catalog.operations.product_clones import clone_product
from catalog.operations.products import delete_product, update_product
from catalog.operations.rate_plans import activate_rate_plan
from catalog.queries.supported_limits import imperfect_limits_of, limits_at
from config.kernel.errors import Invalid, NotFound
from tests.events import heard
from tests.factories import NOW, make_gateway, make_gateway_mapping, make_plan, make_product
from tests.gateways.house import limited_plan

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def idle(mapping: GatewayMapping) -> GatewayMapping:
    """Return the mapping as a worker left it that found nothing."""
    GatewayMapping.objects.filter(pk=mapping.pk).update(sync_status="SYNCED", job="", last_synced_at=NOW)
    return GatewayMapping.objects.get(pk=mapping.pk)


def test_a_mapping_begins_with_a_check_for_which_a_worker_is_woken() -> None:
    gateway, product = make_gateway(), make_product()

    with heard(GatewayJobRequested) as woken:
        mapping = create_gateway_mapping(product=product.id, gateway=gateway.id, external_ref=" petstore ", now=NOW)

    assert (mapping.external_ref, mapping.status, mapping.job, mapping.requested_at) == (
        "petstore", "PENDING", "check", NOW
    )  # fmt: skip
    assert woken == [GatewayJobRequested(gateway_id=gateway.id)]
    assert mapping.restore_requested_at is None


def test_what_names_nothing_at_this_vendor_is_refused() -> None:
    gateway, product = make_gateway(), make_product()

    for ref in ("", "   ", "pet store", "a" * 257):
        with pytest.raises(Invalid) as refusal:
            create_gateway_mapping(product=product.id, gateway=gateway.id, external_ref=ref, now=NOW)
        assert refusal.value.param == "external_ref"
    with pytest.raises(NotFound):
        create_gateway_mapping(product="prod_1", gateway=gateway.id, external_ref="a", now=NOW)
    with pytest.raises(NotFound):
        create_gateway_mapping(product=product.id, gateway="gate_1", external_ref="a", now=NOW)


def test_one_object_is_one_product_and_one_product_stands_once_at_a_gateway() -> None:
    mapping = make_gateway_mapping(external_ref="petstore")
    gateway, product = mapping.gateway, mapping.product

    with pytest.raises(DuplicateMapping):
        make_gateway_mapping(gateway=gateway, external_ref="petstore")
    with pytest.raises(ProductMappedAlready):
        make_gateway_mapping(gateway=gateway, product=product)
    make_gateway_mapping(product=product, external_ref="petstore")
    make_gateway_mapping(gateway=gateway, external_ref="weather")
    assert GatewayMapping.objects.count() == 3


def test_a_change_is_looked_at_and_what_was_agreed_of_another_object_is_forgotten() -> None:
    mapping = idle(make_gateway_mapping())
    GatewayMapping.objects.update(record_digest="a", gateway_digest="b")

    update_gateway_mapping(mapping.id, accepts_approximations=True, now=LATER)
    found = GatewayMapping.objects.get()
    assert (found.status, found.record_digest) == ("PENDING", "a")
    idle(mapping)
    update_gateway_mapping(mapping.id, accepts_approximations=True, external_ref=mapping.external_ref, now=LATER)
    assert GatewayMapping.objects.get().status == "SYNCED"
    update_gateway_mapping(mapping.id, external_ref="weather", now=LATER)
    found = GatewayMapping.objects.get()
    assert (found.status, found.record_digest, found.gateway_digest) == ("PENDING", "", "")


def test_a_restore_is_on_record_and_a_check_is_not() -> None:
    mapping = idle(make_gateway_mapping())
    rows = mapping.history.count()

    assert request_check(mapping.id, now=LATER).job == "check"
    assert mapping.history.count() == rows
    assert request_restore(mapping.id, now=LATER).job == "restore"
    assert mapping.history.count() == rows + 1
    assert request_check(mapping.id, now=LATER).job == "restore"


def test_everything_at_a_gateway_is_asked_for_and_nothing_elsewhere() -> None:
    here = [make_gateway_mapping()]
    here += [make_gateway_mapping(gateway=here[0].gateway) for _ in range(2)]
    elsewhere = idle(make_gateway_mapping())
    for mapping in here:
        idle(mapping)

    assert {one.pk for one in request_checks_at(here[0].gateway_id, now=LATER)} == {one.pk for one in here}
    assert {one.job for one in GatewayMapping.objects.filter(gateway=here[0].gateway)} == {"check"}
    assert {one.job for one in request_restores_at(here[0].gateway_id, now=LATER)} == {"restore"}
    assert GatewayMapping.objects.get(pk=elsewhere.pk).job == ""
    assert request_checks_at(make_gateway().id, now=LATER) == []
    with pytest.raises(NotFound):
        request_restores_at("gate_1", now=LATER)


def test_what_changes_our_record_asks_for_a_look() -> None:
    mapping = idle(make_gateway_mapping())
    draft = make_plan(product=mapping.product, active=False)
    assert GatewayMapping.objects.get().status == "SYNCED"

    activate_rate_plan(draft.id, now=LATER)
    assert GatewayMapping.objects.get().status == "PENDING"
    idle(mapping)
    update_product(mapping.product_id, name="Renamed", now=LATER)
    assert GatewayMapping.objects.get().status == "PENDING"


def test_unlinking_tells_who_has_something_there() -> None:
    mapping = make_gateway_mapping()

    with heard(GatewayMappingUnlinked) as told:
        delete_gateway_mapping(mapping.id)

    assert [event.mapping_id for event in told] == [mapping.id]
    assert not GatewayMapping.objects.exists()


def test_a_deleted_product_takes_its_mappings_along_and_a_clone_has_none() -> None:
    mapping = make_gateway_mapping()
    copy = clone_product(mapping.product_id, name="Copy", code="copy", now=LATER)

    assert not copy.gateway_mappings.exists()
    with heard(GatewayMappingUnlinked) as told:
        delete_product(mapping.product_id, confirm=True)
    assert [event.mapping_id for event in told] == [mapping.id]
    assert Gateway.objects.count() == 1


def test_a_status_keeps_those_that_show_it() -> None:
    one = make_gateway_mapping()
    rows: dict[str, dict[str, Any]] = {
        "new": {},
        "synced": {"sync_status": "SYNCED", "job": ""},
        "synced, looked at again": {"sync_status": "SYNCED", "job": "check"},
        "stale": {"sync_status": "STALE", "job": "", "drift": [{"kind": "x"}]},
        "failed": {"sync_status": "ERROR", "job": "", "last_error": "No"},
        "failed, tried again later": {
            "sync_status": "ERROR", "job": "check", "last_error": "No", "next_try_at": LATER
        },
        "failed, asked for again": {"sync_status": "ERROR", "job": "check", "last_error": "No"},
    }  # fmt: skip
    for name, change in rows.items():
        made = make_gateway_mapping(gateway=one.gateway, external_ref=name.replace(" ", "-").replace(",", ""))
        GatewayMapping.objects.filter(pk=made.pk).update(**change)
    found = GatewayMapping.objects.exclude(pk=one.pk)

    shown = {
        status: {mapping.external_ref for mapping in found.in_status(status)}
        for status in ("PENDING", "SYNCED", "STALE", "ERROR")
    }

    assert shown == {
        "PENDING": {"new", "synced-looked-at-again", "failed-asked-for-again"},
        "SYNCED": {"synced"},
        "STALE": {"stale"},
        "ERROR": {"failed", "failed-tried-again-later"},
    }
    for status, refs in shown.items():
        assert {one.external_ref for one in found if one.status == status} == refs


def test_limits_that_cannot_be_enforced_exactly_are_known_before_anything_is_sent() -> None:
    product = make_product()
    plan = limited_plan(product, rate_per_minute=100, burst=5, quota_per_month=1000)
    mapping = make_gateway_mapping(product=product)

    judged = {one.limit.of.name: one.support.level for one in limits_at(mapping.gateway)}
    imperfect = imperfect_limits_of(mapping)

    assert (judged["rate_per_minute"], judged["burst"], judged["quota_per_month"]) == (
        "exact", "unsupported", "approximate"
    )  # fmt: skip
    assert len(judged) == 7
    assert [(one.limit.of.name, one.support.level) for one in imperfect] == [
        ("burst", "unsupported"), ("quota_per_month", "approximate")
    ]  # fmt: skip
    assert {one.plan.ref for one in imperfect if one.plan} == {plan.id}
    assert all(one.support.why for one in imperfect)


def test_drafts_are_no_part_of_our_record() -> None:
    mapping = idle(make_gateway_mapping())

    make_plan(product=mapping.product, active=False)

    assert GatewayMapping.objects.get().status == "SYNCED"
