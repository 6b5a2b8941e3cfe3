"""Apigee: an API product a rate plan, a developer with an app a subscription, a key of it a secret of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from catalog.gateways.apigee.keys import Keys
from catalog.gateways.apigee.organization import Organization
from catalog.gateways.apigee.products import WINDOWS, attributes_of, body_of, managed_fields, product_name, read_fields
from catalog.gateways.document import DesiredDocument
from catalog.gateways.failures import Conflict, ObjectMissing
from catalog.gateways.interface import (
    EXACT,
    Capabilities,
    Change,
    Connection,
    Field,
    Fields,
    GatewayAdapter,
    KeyGrant,
    KeyPlaced,
    Probe,
    Resource,
    Support,
)
from catalog.limits import Limit

PROXY = re.compile(r"[A-Za-z0-9._-]{1,255}\Z")
NO_SECONDS = "A product counts by the minute at least; a limit by the second is the work of a SpikeArrest in the proxy."
SEVEN_DAYS = "It is counted in windows of seven days, not in calendar weeks."


class ApigeeAdapter(GatewayAdapter):
    """One Apigee organization."""

    vendor = "APIGEE"
    label = "Apigee"
    setting_fields = (
        Field(name="organization", label="Organization"),
        Field(name="environments", label="Environments", help="Where keys let in, separated by commas: prod, eval"),
    )
    credential_fields = (
        Field(
            name="service_account",
            label="Service account key",
            help="The JSON key file of a service account with the roles API Admin and Developer Admin.",
            is_long=True,
        ),
    )
    ref_label = "Proxy"
    ref_help = (
        "The name of the API proxy. Its policies must contain VerifyAPIKey and a Quota with UseQuotaConfigInAPIProduct."
    )

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.organization = Organization(connection)
        self.keys = Keys(self.organization, connection.mark)

    @classmethod
    def capabilities(cls, settings: Mapping[str, str]) -> Capabilities:
        """Take keys and clients of ours and switch them off and on."""
        return Capabilities(
            takes_our_keys=True,
            suspends_keys=True,
            takes_our_clients=True,
            notes=(
                "A quota does nothing unless the proxy has a Quota policy with UseQuotaConfigInAPIProduct.",
                "Apigee remembers keys for up to 180 seconds: one that was revoked may let in that much longer.",
                "A client id is one key, so the old secret of a client ends as soon as the new one is there.",
            ),
        )

    @classmethod
    def supports(cls, limit: Limit, settings: Mapping[str, str]) -> Support:
        """Return how well a product's quota expresses the limit."""
        if limit.of.unit not in WINDOWS:
            return Support(level="unsupported", why=NO_SECONDS)
        return Support(level="approximate", why=SEVEN_DAYS) if limit.of.unit == "week" else EXACT

    @classmethod
    def check_settings(cls, settings: Mapping[str, str], base_url: str) -> None:
        """Refuse a list of no environments: to Apigee an empty one means all of them."""
        if not environments_of(settings):
            raise ValueError("environments", "At least one environment is needed; none would mean all of them")

    @classmethod
    def check_ref(cls, ref: str) -> None:
        """Take what can be the name of a proxy."""
        if not PROXY.match(ref):
            raise ValueError("A proxy's name consists of letters, digits, “.”, “_” and “-”")

    def probe(self) -> Probe:
        """Read the organization."""
        found = self.organization.get("")
        if found is None:
            raise ObjectMissing(f"There is no organization '{self.organization.name}'", status=404)
        known = set(found.get("environments") or ())
        unknown = [one for one in environments_of(self.connection.settings) if known and one not in known]
        warnings = tuple(f"The organization has no environment '{one}'" for one in unknown)
        return Probe(version="v1", edition=str(found.get("runtimeType", "")), warnings=warnings)

    def desired(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return a product for each plan."""
        environments = environments_of(self.connection.settings)
        return [
            Resource(
                kind="product",
                key=product_name(document.mark, plan.ref),
                label=f"product {plan.name} ({plan.slug})",
                fields=managed_fields(document, plan, proxy=ref, environments=environments),
            )
            for plan in document.plans
        ]

    def fetch(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return the products that carry our mark for this product."""
        if self.organization.get(f"/apis/{quote(ref, safe='')}") is None:
            raise ObjectMissing(f"There is no proxy '{ref}' in the organization", status=404)
        return [
            Resource(
                kind="product",
                key=str(product["name"]),
                label=f"product {product.get('displayName') or product['name']}",
                fields=read_fields(product, document.mark),
                handle={"live": product},
            )
            for product in self.organization.products()
            if attributes_of(product).get(f"{document.mark}-product") == document.product
        ]

    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Make, replace or delete a product."""
        name = change.resource.key
        path = f"/apiproducts/{quote(name, safe='')}"
        self.organization.pace_product(name)
        if change.wanted is None:
            self.organization.delete(path)
        elif change.found is None:
            self._make(name, path, change.wanted.fields, document)
        else:
            self.organization.put(path, body_of(name, change.wanted.fields, change.found.handle["live"]))

    def place_key(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """Bring developer, app and key there, bound to the plan's product and to no other of ours."""
        name = product_name(self.connection.mark, grant.plan)
        if self.organization.get(f"/apiproducts/{quote(name, safe='')}") is None:
            raise ObjectMissing("The plan is not at the gateway yet: restore the mapping first", status=404)
        return self.keys.place(grant, plan_product=name)

    def suspend_key(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """Revoke the key, which can be approved again."""
        self.keys.suspend(grant)

    def remove_key(self, grant: KeyGrant, handle: Fields, ref: str, *, last: bool) -> None:
        """Delete the key, and with the last one the app and its developer."""
        self.keys.remove(grant, last=last)

    def _make(self, name: str, path: str, fields: Mapping[str, Any], document: DesiredDocument) -> None:
        """Create a product; one that has come to be there is ours by its mark, or nobody's to touch."""
        try:
            self.organization.post("/apiproducts", body_of(name, fields, None))
        except Conflict:
            there = self.organization.get(path)
            if there is None or attributes_of(there).get(f"{document.mark}-product") != document.product:
                raise Conflict(f"A product called '{name}' exists already and is not ours", status=409) from None
            self.organization.put(path, body_of(name, fields, there))


def environments_of(settings: Mapping[str, str]) -> list[str]:
    """Return the environments that a connection names."""
    return [one.strip() for one in settings.get("environments", "").split(",") if one.strip()]
