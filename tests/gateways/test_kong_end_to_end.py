"""Kong through the operations: connected, mapped, restored; a change by hand is found, shown and put right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.models import GatewayMapping, SyncStatus
from catalog.operations.gateway_mappings import create_gateway_mapping, request_check, request_restore
from catalog.operations.gateway_sync import run_jobs
from catalog.operations.gateways import GatewayFields, create_gateway, test_gateway
from config.kernel.errors import Invalid
from tests.factories import NOW
from tests.gateways.fakes.server import Fault
from tests.gateways.house import limited_product
from tests.gateways.kong_bench import CREDENTIALS, SETTINGS, Bench, kong_bench

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["enterprise", "konnect", "oss"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with kong_bench(request.param) as made:
        yield made


@pytest.fixture
def mapping(bench: Bench) -> GatewayMapping:
    """Return a mapping of a product with one plan to the service of the small Kong."""
    product = limited_product(rate_per_minute=100, quota_per_month=10_000)
    fields = GatewayFields(name="Kong", base_url=bench.kong.base_url, settings=SETTINGS[bench.edition])
    gateway = create_gateway(fields, vendor="KONG", credentials=CREDENTIALS[bench.edition], now=NOW)
    return create_gateway_mapping(product=product.id, gateway=gateway.id, external_ref="orders", now=NOW)


def after_jobs(mapping: GatewayMapping) -> GatewayMapping:
    run_jobs(mapping.gateway_id, clock=lambda: NOW)
    return GatewayMapping.objects.get(pk=mapping.pk)


def test_a_mapping_is_restored_drifts_by_hand_and_is_restored_again(bench: Bench, mapping: GatewayMapping) -> None:
    assert after_jobs(mapping).status == SyncStatus.STALE
    request_restore(mapping.id, now=NOW)
    assert after_jobs(mapping).status == SyncStatus.SYNCED

    bench.plugin("acl")["config"]["allow"] = ["friends"]
    request_check(mapping.id, now=NOW)
    stale = after_jobs(mapping)
    assert (stale.status, stale.drift_reason) == (SyncStatus.STALE, "gateway_changed")
    assert stale.drift == [
        {
            "kind": "plugin",
            "key": "acl",
            "label": "Access list",
            "field": "config.allow",
            "record": [f"meterdesk-{mapping.product_id}"],
            "gateway": ["friends"],
        }
    ]

    request_restore(mapping.id, now=NOW)
    assert after_jobs(mapping).status == SyncStatus.SYNCED
    assert bench.plugin("acl")["config"]["allow"] == [f"meterdesk-{mapping.product_id}"]


def test_a_second_restore_writes_nothing(bench: Bench, mapping: GatewayMapping) -> None:
    for _ in range(2):
        before = len(bench.written())
        request_restore(mapping.id, now=NOW)
        assert after_jobs(mapping).status == SyncStatus.SYNCED

    assert len(bench.written()) == before


def test_a_restore_that_broke_off_is_tried_again_by_itself(bench: Bench, mapping: GatewayMapping) -> None:
    bench.kong.faults = [Fault("PUT", effect=True, times=3)]
    request_restore(mapping.id, now=NOW)

    failed = after_jobs(mapping)
    assert (failed.sync_status, failed.last_error_code) == (SyncStatus.ERROR, "unavailable")
    ripe = failed.next_try_at
    assert ripe is not None

    run_jobs(mapping.gateway_id, clock=lambda: ripe)
    mapping.refresh_from_db()
    assert mapping.status == SyncStatus.SYNCED
    assert len(bench.kong.rows("plugins", name="key-auth")) == 1


def test_a_plugin_in_the_way_ends_as_an_error_that_names_it(bench: Bench, mapping: GatewayMapping) -> None:
    by_hand = bench.kong.make("plugins", name="key-auth", service={"id": bench.service})
    request_restore(mapping.id, now=NOW)

    failed = after_jobs(mapping)

    assert (failed.status, failed.last_error_code) == (SyncStatus.ERROR, "conflict")
    assert by_hand["id"] in failed.last_error

    bench.kong.remove("plugins", by_hand["id"])
    request_restore(mapping.id, now=NOW)
    assert after_jobs(mapping).status == SyncStatus.SYNCED


def test_the_connection_can_be_tested(bench: Bench, mapping: GatewayMapping) -> None:
    assert test_gateway(mapping.gateway_id, now=NOW).edition.lower() == {"oss": "community"}.get(
        bench.edition, bench.edition
    )


def test_a_kong_without_its_address_is_not_connected() -> None:
    with pytest.raises(Invalid) as refusal:
        create_gateway(GatewayFields(name="Kong", settings={"edition": "oss"}), vendor="KONG", credentials={}, now=NOW)

    assert refusal.value.param == "base_url"
