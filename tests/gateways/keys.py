"""Mapped products with subscribers at small gateways: what tests of keys at gateways begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from catalog.models import Gateway, GatewayMapping, RatePlan
from catalog.operations.gateway_mappings import create_gateway_mapping, request_restore
from catalog.operations.gateway_sync import run_jobs
from catalog.operations.gateways import GatewayFields, create_gateway
from config.kernel.secrets import issued_secrets
from credentials.models import Credential, GatewayKey
from credentials.operations.credentials import rotate_credential
from credentials.operations.gateway_deliveries import deliver_keys
from tests.factories import NOW, make_subscription
from tests.gateways.aws_cases import judged
from tests.gateways.fakes.apigee import SETTINGS as APIGEE_SETTINGS
from tests.gateways.fakes.apigee import FakeApigee
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.aws_front import ACCESS_KEY, REGION, SECRET_KEY
from tests.gateways.fakes.azure import CREDENTIALS, SETTINGS, FakeAzure
from tests.gateways.fakes.kong import ADMIN_TOKEN, FakeKong
from tests.gateways.fakes.server import FakeGateway, serving
from tests.gateways.house import azure_service, limited_product
from tests.gateways.kong_bench import kong_bench


@dataclass
class Venue:
    """A gateway with a mapped product whose plan it has; ``opens`` returns the secrets that let in there."""

    fake: FakeGateway
    gateway: Gateway
    mapping: GatewayMapping
    opens: Callable[[], set[str]]

    @property
    def plan(self) -> RatePlan:
        """The only plan of the product."""
        return RatePlan.objects.get(product=self.mapping.product_id)

    def deliver(self, *, now: datetime = NOW) -> int:
        """Deliver the keys that wait, and return how many were tried."""
        return deliver_keys(self.gateway.id, clock=lambda: now)


def subscribe(mapping: GatewayMapping, **fields: Any) -> tuple[Credential, str]:
    """Return the credential of a new subscription to the mapped product's first plan, and its secret."""
    plan = fields.pop("plan", None) or RatePlan.objects.filter(product=mapping.product_id).earliest("created_at")
    with issued_secrets() as issued:
        subscription = make_subscription(plan=plan, **fields)
    shown = issued[0].shown_once
    return subscription.credentials.get(), shown.get("key") or shown["client_secret"]


def rotate(credential: Credential, **fields: Any) -> str:
    """Rotate the credential and return its new secret."""
    with issued_secrets() as issued:
        rotate_credential(credential.id, **{"now": NOW, **fields})
    return next(iter(issued[0].secrets.values()))


def keys_of(credential: Credential) -> list[GatewayKey]:
    """Return the credential's keys at gateways, oldest first."""
    return list(GatewayKey.objects.filter(credential=credential).order_by("generation", "id"))


def key_of(credential: Credential) -> GatewayKey:
    """Return the credential's only key at a gateway."""
    return GatewayKey.objects.get(credential=credential)


def statuses_of(credential: Credential) -> list[tuple[str, str]]:
    """Return how each key should be and how it is."""
    return [(key.wanted, key.status) for key in keys_of(credential)]


@contextmanager
def azure_venue() -> Iterator[Venue]:
    """Azure API Management."""
    with azure_service() as fake:
        mapping = restored("AZURE_APIM", fake, "petstore", SETTINGS, CREDENTIALS)
        yield Venue(fake, mapping.gateway, mapping, lambda: opened_by_azure(fake))


@contextmanager
def kong_venue() -> Iterator[Venue]:
    """Kong Enterprise."""
    with kong_bench("enterprise") as bench:
        token = {"admin_token": ADMIN_TOKEN}
        mapping = restored("KONG", bench.kong, "orders", {"edition": "enterprise"}, token)
        yield Venue(bench.kong, mapping.gateway, mapping, lambda: opened_by_kong(bench.kong))


@contextmanager
def aws_venue() -> Iterator[Venue]:
    """AWS API Gateway."""
    with judged() as fake:
        credentials = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
        mapping = restored("AWS_API_GATEWAY", fake, "a1/prod", {"region": REGION}, credentials)
        yield Venue(fake, mapping.gateway, mapping, lambda: opened_by_aws(fake))


@contextmanager
def apigee_venue() -> Iterator[Venue]:
    """Apigee."""
    with serving(FakeApigee()) as gateway:
        fake = cast(FakeApigee, gateway)
        mapping = restored("APIGEE", fake, "petstore", APIGEE_SETTINGS, fake.credentials())
        yield Venue(fake, mapping.gateway, mapping, lambda: opened_by_apigee(fake))
    assert fake.violations == []


VENUES = {"azure": azure_venue, "kong": kong_venue, "aws": aws_venue, "apigee": apigee_venue}


def restored(
    vendor: str, fake: FakeGateway, ref: str, settings: Mapping[str, str], credentials: Mapping[str, str]
) -> GatewayMapping:
    """Return a mapping of a product with a limited plan, which the gateway has."""
    fields = GatewayFields(name=vendor, base_url=fake.base_url, settings=settings)
    gateway = create_gateway(fields, vendor=vendor, credentials=credentials, now=NOW)
    mapping = create_gateway_mapping(
        product=limited_product(quota_per_day=1000).id,
        gateway=gateway.id,
        external_ref=ref,
        accepts_approximations=True,
        now=NOW,
    )
    request_restore(mapping.id, now=NOW)
    run_jobs(gateway.id, clock=lambda: NOW)
    mapping.refresh_from_db()
    assert mapping.status == "SYNCED", mapping.last_error
    return mapping


def opened_by_azure(fake: FakeAzure) -> set[str]:
    """Return the keys of active subscriptions to products that have the API."""
    names = {name for name, apis in fake.links.items() if apis}
    active = [key for key in fake.keys.values() if key["state"] == "active"]
    return {key["primaryKey"] for key in active if key["scope"].rpartition("/")[2] in names}


def opened_by_kong(fake: FakeKong) -> set[str]:
    """Return the keys of consumers that are on an access list, and in a group that limits them."""
    listed = {row["consumer"]["id"] for row in fake.rows("acls")} & {consumer for _, consumer in members(fake)}
    rows = [row for row in fake.rows("key-auths") if row["consumer"]["id"] in listed]
    return {row["key"] for row in rows if not row["key"].startswith("suspended.")}


def members(fake: FakeKong) -> set[tuple[str, str]]:
    """Return pairs of group and consumer."""
    groups = set(fake.tables["consumer_groups"])
    return {(one, other) if one in groups else (other, one) for one, other in fake.members}


def opened_by_aws(fake: FakeAws) -> set[str]:
    """Return the values of keys that are switched on and in a plan."""
    attached = {key for keys in fake.members.values() for key in keys}
    return {key["value"] for name, key in fake.keys.items() if key["enabled"] and name in attached}


def opened_by_apigee(fake: FakeApigee) -> set[str]:
    """Return the keys that are approved for a product."""
    return {key["consumerKey"] for key in fake.all_keys() if key["status"] == "approved" and key.get("apiProducts")}
