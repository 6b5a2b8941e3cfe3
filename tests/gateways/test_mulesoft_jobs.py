"""MuleSoft from end to end: connected, mapped, restored, drifted, restored again, and a client whose id it makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.models import GatewayMapping, Product, RatePlan, SyncStatus
from catalog.operations.gateway_mappings import create_gateway_mapping, request_check, request_restore
from catalog.operations.gateway_sync import run_jobs
from catalog.operations.gateways import GatewayFields, create_gateway
from config.kernel.errors import Invalid
from config.kernel.secrets import issued_secrets
from credentials.models import GatewayKey
from credentials.operations.credentials import revoke_credential
from credentials.operations.gateway_deliveries import deliver_keys
from credentials.operations.gateway_key_requests import reveal_gateway_key
from credentials.operations.gateway_keys import look_again
from customers.operations.suspension import reactivate_customer, suspend_customer
from tests.factories import NOW, make_product, make_subscription
from tests.gateways.fakes.api_manager import CREDENTIALS, SETTINGS
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.fakes.server import Fault
from tests.gateways.house import limited_plan, limited_product
from tests.gateways.mulesoft_cases import REF, judged

pytestmark = pytest.mark.django_db


@pytest.fixture
def mule() -> Iterator[FakeAnypoint]:
    with judged() as fake:
        yield fake


def mapped(fake: FakeAnypoint, product: Product | None = None) -> GatewayMapping:
    """Connect the environment and map a product with a plan to the API instance."""
    fields = GatewayFields(name="Anypoint", base_url=fake.base_url, settings=SETTINGS)
    gateway = create_gateway(fields, vendor="MULESOFT", credentials=CREDENTIALS, now=NOW)
    product = product or limited_product(rate_per_minute=100)
    return create_gateway_mapping(product=product.id, gateway=gateway.id, external_ref=REF, now=NOW)


def worked(mapping: GatewayMapping) -> GatewayMapping:
    """Do the jobs that wait and return the mapping as it is then."""
    run_jobs(mapping.gateway_id, clock=lambda: NOW)
    mapping.refresh_from_db()
    return mapping


def test_a_mapping_is_restored_drifts_and_is_restored_again(mule: FakeAnypoint) -> None:
    mapping = worked(mapped(mule))
    assert (mapping.status, mapping.drift_reason) == (SyncStatus.STALE, "never_applied")
    request_restore(mapping.id, now=NOW)
    assert worked(mapping).status == SyncStatus.SYNCED

    [tier] = mule.tiers.values()
    tier["limits"][0]["maximumRequests"] = 9
    mule.policy()["disabled"] = True
    request_check(mapping.id, now=NOW)
    worked(mapping)
    assert (mapping.status, mapping.drift_reason) == (SyncStatus.STALE, "gateway_changed")
    assert [(one["kind"], one["field"], one["record"], one["gateway"]) for one in mapping.drift] == [
        ("policy", "disabled", False, True),
        ("tier", "limits.60000", 100, 9),
    ]

    request_restore(mapping.id, now=NOW)
    assert worked(mapping).status == SyncStatus.SYNCED
    assert (len(mule.tiers), len(mule.policies)) == (1, 1)


def test_a_policy_in_the_way_is_an_error_until_it_is_gone(mule: FakeAnypoint) -> None:
    mapping = mapped(mule)
    mule.add_policy("client-id-enforcement")
    request_restore(mapping.id, now=NOW)
    worked(mapping)
    assert (mapping.status, mapping.last_error_code) == (SyncStatus.ERROR, "conflict")
    assert "remove the former in API Manager" in mapping.last_error

    mule.policies.clear()
    request_restore(mapping.id, now=NOW)

    assert worked(mapping).status == SyncStatus.SYNCED


def test_what_the_form_asks_for_is_checked_by_name(mule: FakeAnypoint) -> None:
    fields = GatewayFields(name="A", base_url=mule.base_url, settings={**SETTINGS, "organization_id": "Acme"})

    with pytest.raises(Invalid) as refusal:
        create_gateway(fields, vendor="MULESOFT", credentials=CREDENTIALS, now=NOW)

    assert refusal.value.param == "settings.organization_id"


def delivered(mapping: GatewayMapping) -> GatewayKey:
    """Deliver the keys that wait and return the one there is."""
    deliver_keys(mapping.gateway_id, clock=lambda: NOW)
    return GatewayKey.objects.get(mapping=mapping)


@pytest.mark.parametrize("product_type", ["STANDARD_API", "MCP_SERVER"])
def test_what_anypoint_makes_is_shown_once_and_follows_the_customer(mule: FakeAnypoint, product_type: str) -> None:
    product = make_product(product_type=product_type)
    plan: RatePlan = limited_plan(product, rate_per_minute=100)
    mapping = mapped(mule, product)
    request_restore(mapping.id, now=NOW)
    worked(mapping)
    subscription = make_subscription(plan=plan)

    mule.faults.append(Fault("POST .*/apis/77/contracts", effect=True))
    assert delivered(mapping).status == "ERROR"
    look_again(mapping.id, now=NOW)
    key = delivered(mapping)
    assert (key.status, key.has_something_to_show, key.last_error) == ("PLACED", True, "")
    [application] = mule.applications.values()
    assert application["clientSecret"] not in str(key.handle)

    with issued_secrets() as issued:
        reveal_gateway_key(key.id, now=NOW)
    assert issued[0].shown_once == {
        "client_id": application["clientId"],
        "client_secret": application["clientSecret"],
    }
    look_again(mapping.id, now=NOW)
    assert delivered(mapping).has_something_to_show is False

    [contract] = mule.contracts.values()
    suspend_customer(subscription.customer_id, now=NOW)
    assert (delivered(mapping).status, contract["status"]) == ("SUSPENDED", "REVOKED")
    reactivate_customer(subscription.customer_id, now=NOW)
    assert (delivered(mapping).status, contract["status"]) == ("PLACED", "APPROVED")

    revoke_credential(key.credential_id, now=NOW)
    assert delivered(mapping).status == "REMOVED"
    assert (mule.contracts, mule.applications) == ({}, {})
