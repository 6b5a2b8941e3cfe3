"""Checks and restores: what comes of them, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.events import GatewayDrifted, GatewayFailed, GatewayMappingEvent, GatewayRestored
from catalog.models import Product
from catalog.operations.gateway_mappings import (
    request_restore,
    update_gateway_mapping,
)
from catalog.operations.products import advance_product
from catalog.operations.rate_plans import archive_rate_plan
from tests.events import heard
from tests.factories import NOW, make_product
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import (
    LATER,
    checked,
    connect,
    fresh,
    limited_plan,
    limited_product,
    link,
    loosen,
    restored,
    work,
)

pytestmark = pytest.mark.django_db


def writes(fake: FakeAzure) -> int:
    """Return how many calls could have changed something."""
    return len([sent for sent in fake.requests("PUT", "PATCH", "DELETE", "POST") if "/oauth2/" not in sent.path])


def test_a_new_mapping_is_looked_at_and_nothing_is_changed(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    assert (mapping.status, mapping.job) == ("PENDING", "check")

    assert work(gateway) == 1

    found = fresh(mapping)
    assert (found.status, found.drift_reason, found.job) == ("STALE", "never_applied", "")
    assert [one["kind"] for one in found.drift] == ["product", "policy", "api"]
    assert (found.last_checked_at, found.last_synced_at) == (NOW, None)
    assert writes(azure) == 0


def test_a_restore_is_confirmed_by_a_new_look(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)

    request_restore(mapping.id, now=NOW)
    work(gateway)

    found = fresh(mapping)
    assert (found.status, found.drift, found.drift_reason) == ("SYNCED", [], "")
    assert (found.last_synced_at, found.restore_requested_at) == (NOW, NOW)
    assert azure.requests()[-1].method == "GET"
    assert found.progress == {"done": 3, "of": 3, "step": ""}


def test_a_second_restore_writes_nothing(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    before = writes(azure)

    request_restore(mapping.id, now=LATER)
    work(mapping.gateway, now=LATER)

    assert fresh(mapping).status == "SYNCED"
    assert writes(azure) == before


def test_a_change_at_the_gateway_is_found_shown_side_by_side_and_restored(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    loosen(azure)

    found = checked(mapping)

    assert (found.status, found.drift_reason) == ("STALE", "gateway_changed")
    [difference] = found.drift
    assert (difference["kind"], difference["field"]) == ("policy", "rate-limit")
    assert 'calls="100"' in str(difference["record"])
    assert 'calls="1000"' in str(difference["gateway"])
    request_restore(mapping.id, now=LATER)
    work(mapping.gateway, now=LATER)
    assert fresh(mapping).status == "SYNCED"
    assert all('calls="100"' in policy for policy in azure.policies.values())


def new_plan(product: Product) -> object:
    return limited_plan(product, rate_per_minute=7)


def retired(product: Product) -> object:
    advance_product(product.id, to="DEPRECATED", now=LATER)
    return advance_product(product.id, to="RETIRED", now=LATER)


@pytest.mark.parametrize(("change", "ours"), [(new_plan, True), (retired, False)])
def test_a_change_of_our_record_is_looked_at_by_itself(azure: FakeAzure, change: Any, ours: bool) -> None:
    mapping = restored(connect(azure))

    change(mapping.product)
    assert fresh(mapping).status == "PENDING"
    work(mapping.gateway, now=LATER)

    found = fresh(mapping)
    assert (found.status, found.drift_reason) == ("STALE", "record_changed")
    # A retired product lets nobody in, so that nothing of it may stay at the gateway.
    assert [one["record"] is not None for one in found.drift] == [ours] * 3


def test_an_archived_plan_stays_at_the_gateway_for_the_subscriptions_it_has(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))

    archive_rate_plan(mapping.product.rate_plans.get().id, now=LATER)

    assert checked(mapping).status == "SYNCED"


def test_where_both_sides_changed_both_are_named(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    loosen(azure)
    new_plan(mapping.product)

    work(mapping.gateway, now=LATER)

    assert (fresh(mapping).status, fresh(mapping).drift_reason) == ("STALE", "both_changed")


def test_a_product_without_limits_lets_its_customers_in(azure: FakeAzure) -> None:
    product = make_product()
    limited_plan(product)

    assert restored(connect(azure), product=product).status == "SYNCED"
    assert list(azure.links.values()) == [["petstore"]]


def test_a_gateway_that_restores_by_itself_does_so_when_a_check_finds_a_difference(azure: FakeAzure) -> None:
    mapping = restored(connect(azure, restores_by_itself=True))
    loosen(azure)

    found = checked(mapping)

    assert (found.status, found.drift) == ("SYNCED", [])
    assert all('calls="100"' in policy for policy in azure.policies.values())
    assert found.restore_requested_at == NOW


def test_a_limit_that_cannot_be_enforced_keeps_everything_from_being_sent(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway, product=limited_product(rate_per_minute=100, burst=10), accepts_approximations=True)

    request_restore(mapping.id, now=NOW)
    work(gateway)

    found = fresh(mapping)
    assert (found.status, found.last_error_code, found.next_try_at) == ("ERROR", "unsupported", None)
    assert "Burst cannot be enforced here" in found.last_error
    assert azure.exchanges == []


def test_an_approximation_wants_consent(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway, product=limited_product(quota_per_month=1000))
    request_restore(mapping.id, now=NOW)
    work(gateway)
    assert (fresh(mapping).status, fresh(mapping).last_error_code) == ("ERROR", "unsupported")
    assert "Accept approximations" in fresh(mapping).last_error

    update_gateway_mapping(mapping.id, accepts_approximations=True, now=LATER)
    request_restore(mapping.id, now=LATER)
    work(gateway, now=LATER)

    assert fresh(mapping).status == "SYNCED"


def test_somebody_elses_change_in_between_is_looked_at_once_more(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    loosen(azure)
    azure.faults.append(Fault(r"PUT .*/policies/policy", 412, b'{"error": {"message": "Modified"}}'))

    request_restore(mapping.id, now=LATER)
    work(mapping.gateway, now=LATER)

    assert fresh(mapping).status == "SYNCED"


def test_events_tell_of_drift_restores_and_failures_once_each(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = restored(gateway)
    about = {"mapping_id": mapping.id, "product_id": mapping.product_id, "gateway_id": gateway.id}

    with heard(GatewayMappingEvent) as events:
        loosen(azure)
        checked(mapping)
        checked(mapping)
        request_restore(mapping.id, now=LATER)
        work(gateway, now=LATER)
        azure.apis.clear()
        checked(mapping)
        failed = checked(mapping)

    assert events == [
        GatewayDrifted(**about, differences=1),
        GatewayRestored(**about, at=LATER),
        GatewayFailed(**about, code="object_missing", reason=failed.last_error),
    ]


def test_a_check_that_finds_what_was_found_before_leaves_nothing_in_history(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    rows = mapping.history.count()

    assert checked(mapping).last_checked_at == LATER
    assert mapping.history.count() == rows
    loosen(azure)
    checked(mapping)
    assert mapping.history.count() == rows + 1
