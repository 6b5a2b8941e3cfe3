"""The operations on gateways and mappings, for the table of what each leaves in history."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from catalog.errors import GatewayUnusable
from catalog.models import Gateway, GatewayMapping
from catalog.operations import gateway_mappings, gateway_sync, gateways
from tests.factories import NOW, make_gateway, make_gateway_mapping, make_product

LATER = NOW + timedelta(hours=1)
AZURE = {"tenant_id": "t", "subscription_id": "s", "resource_group": "g", "service_name": "n"}
SECRETS = {"client_id": "client-1", "client_secret": "s3cret-of-the-client"}


def unreachable() -> GatewayMapping:
    """Return a mapping whose gateway cannot even be asked: the keys of its credentials are gone."""
    mapping = make_gateway_mapping()
    Gateway.objects.update(sealed_credentials=b"lost")
    return mapping


def tested(gateway: Gateway) -> None:
    with suppress(GatewayUnusable):
        gateways.test_gateway(gateway.id, now=LATER)


def two_mappings() -> Gateway:
    first = make_gateway_mapping()
    make_gateway_mapping(gateway=first.gateway)
    return first.gateway


def unchecked() -> GatewayMapping:
    mapping = make_gateway_mapping()
    GatewayMapping.objects.update(sync_status="SYNCED", job="")
    return mapping


#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
GATEWAY_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "create_gateway",
        lambda: gateways.GatewayFields(name="G", settings=AZURE),
        lambda made: gateways.create_gateway(made, vendor="AZURE_APIM", credentials=SECRETS, now=NOW),
        {"gateway": 1},
    ),
    (
        "update_gateway",
        two_mappings,
        # What is mapped to it is looked at again, which is no change.
        lambda made: gateways.update_gateway(made.id, name="New", credentials=SECRETS, now=LATER),
        {"gateway": 1},
    ),
    (
        "test_gateway",
        lambda: unreachable().gateway,
        tested,
        {"gateway": 1},
    ),
    (
        "delete_gateway",
        make_gateway,
        lambda made: gateways.delete_gateway(made.id),
        {"gateway": 1},
    ),
    (
        "create_gateway_mapping",
        lambda: {"gateway": make_gateway().id, "product": make_product().id, "external_ref": "petstore"},
        lambda made: gateway_mappings.create_gateway_mapping(**made, now=NOW),
        {"gatewaymapping": 1},
    ),
    (
        "update_gateway_mapping",
        make_gateway_mapping,
        lambda made: gateway_mappings.update_gateway_mapping(made.id, external_ref="new", now=LATER),
        {"gatewaymapping": 1},
    ),
    (
        "request_check",
        make_gateway_mapping,
        lambda made: gateway_mappings.request_check(made.id, now=LATER),
        {},
    ),
    (
        "request_restore",
        make_gateway_mapping,
        lambda made: gateway_mappings.request_restore(made.id, now=LATER),
        {"gatewaymapping": 1},
    ),
    (
        "request_checks_at",
        two_mappings,
        lambda made: gateway_mappings.request_checks_at(made.id, now=LATER),
        {},
    ),
    (
        "request_restores_at",
        two_mappings,
        lambda made: gateway_mappings.request_restores_at(made.id, now=LATER),
        {"gatewaymapping": 2},
    ),
    (
        "request_due_checks",
        unchecked,
        lambda _: gateway_mappings.request_due_checks(now=LATER),
        {},
    ),
    (
        "delete_gateway_mapping",
        make_gateway_mapping,
        lambda made: gateway_mappings.delete_gateway_mapping(made.id),
        {"gatewaymapping": 1},
    ),
    (
        "run_next_job",
        unreachable,
        # The mapping has an error now, and its gateway needs attention.
        lambda made: gateway_sync.run_next_job(made.gateway_id, now=LATER),
        {"gatewaymapping": 1, "gateway": 1},
    ),
    (
        "run_jobs",
        unreachable,
        lambda made: gateway_sync.run_jobs(made.gateway_id, clock=lambda: LATER),
        {"gatewaymapping": 1, "gateway": 1},
    ),
]
