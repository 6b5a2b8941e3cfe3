"""Azure API Management: a product a rate plan, its policy for the limits, a subscription a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from catalog.gateways.azure.policy import UnreadablePolicy, elements_of, read_elements, with_elements
from catalog.gateways.azure.service import ANY, API_VERSION, Service
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.failures import Conflict, KeyGone, ObjectMissing
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

API_ID = re.compile(r"[^*#&+:<>?/\s]{1,256}\Z")
UNREADABLE = "not readable: no well-formed XML"
NO_BURST = "Its rate limit has no burst."
AS_QUOTA = "It is counted as a quota: the gateway answers 403 instead of 429, and windows begin with the first call."
THIRTY_DAYS = "Its quotas know no calendar: a month is counted as 30 days."


class AzureAdapter(GatewayAdapter):
    """One API Management service."""

    vendor = "AZURE_APIM"
    label = "Azure API Management"
    setting_fields = (
        Field(
            name="cloud",
            label="Cloud",
            choices=(("public", "Public"), ("usgov", "US Government"), ("china", "China")),
            default="public",
        ),
        Field(name="tenant_id", label="Tenant", help="The directory's id, from the app registration."),
        Field(name="subscription_id", label="Azure subscription", help="The id of the subscription that is billed."),
        Field(name="resource_group", label="Resource group"),
        Field(name="service_name", label="Service name", help="The name of the API Management instance."),
    )
    credential_fields = (
        Field(name="client_id", label="Client id", help="Of an app registration with access to the service."),
        Field(name="client_secret", label="Client secret", help="Its value, not its id. It expires: note when."),
    )
    ref_label = "API id"
    ref_help = "The id of the API in API Management, as in its address; with “;rev=” it would be one revision only."

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.service = Service(connection)

    @classmethod
    def capabilities(cls, settings: Mapping[str, str]) -> Capabilities:
        """Take keys of ours and switch them off and on."""
        return Capabilities(
            takes_our_keys=True,
            suspends_keys=True,
            notes=(
                "Limits are kept in the policy of a product that we make for each rate plan.",
                "Two keys of one subscription, as after a rotation, are counted apart until the old one ends.",
            ),
        )

    @classmethod
    def supports(cls, limit: Limit, settings: Mapping[str, str]) -> Support:
        """Return how well ``rate-limit`` and ``quota`` express the limit."""
        match limit.of.unit:
            case "":
                return Support(level="unsupported", why=NO_BURST)
            case "second" | "minute":
                return EXACT
            case "month":
                return Support(level="approximate", why=f"{THIRTY_DAYS} {AS_QUOTA}")
        return Support(level="exact", why=AS_QUOTA)

    @classmethod
    def check_ref(cls, ref: str) -> None:
        """Take what can be the id of an API."""
        if not API_ID.match(ref):
            raise ValueError("An API id has up to 256 characters and none of * # & + : < > ? /")

    def probe(self) -> Probe:
        """Read one product: that needs the token, the service and the right to read it."""
        if self.service.get("/products", **{"$top": "1"}) is None:
            raise ObjectMissing("There is no such API Management service in this resource group", status=404)
        return Probe(version=API_VERSION, edition="Azure API Management")

    def desired(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return for each plan the product, then its limits, and the API at last, which is what lets in."""
        return [one for plan in document.plans for one in self._desired_of(document, plan, ref)]

    def fetch(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return our products with their limits and APIs; those of plans that are gone too."""
        if self.service.get(f"/apis/{quote(ref, safe='')}") is None:
            raise ObjectMissing(f"There is no API '{ref}' in this API Management service", status=404)
        found = [one for one in self.service.pages("/products") if self._is_ours(document, one)]
        return [resource for product in found for resource in self._live(document, product)]

    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Take one step with the etag of what was read, so that nobody's change in between is lost."""
        resource = change.resource
        plan, etag = resource.key.partition("/")[0], str(resource.handle.get("etag") or "")
        if change.found is not None:
            etag = str(change.found.handle.get("etag") or ANY)
        path = self._product_path(document.mark, plan)
        match resource.kind:
            case "product":
                self._apply_product(change, path, etag)
            case "policy":
                self._apply_policy(change, path, etag)
            case "api":
                link = f"{path}/apis/{quote(resource.key.partition('/')[2], safe='')}"
                self.service.delete(link) if change.wanted is None else self.service.put(link, None)

    def place_key(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """Make an API Management subscription to the plan's product with the key, or mend the one there is."""
        mark = self.connection.mark
        product_path, sid = self._product_path(mark, grant.plan), f"{mark}-{grant.key}"
        if self.service.get(product_path) is None:
            raise ObjectMissing("The plan is not at the gateway yet: restore the mapping first", status=404)
        wanted = {"scope": self.service.path + product_path, "state": grant.state}
        found = self.service.get(f"/subscriptions/{sid}")
        if found is not None:
            there = found.json["properties"]
            if (_last(there["scope"]), there["state"]) != (_last(wanted["scope"]), grant.state):
                self.service.patch(f"/subscriptions/{sid}", wanted, etag=found.headers.get("etag", ANY))
            return KeyPlaced(handle={"sid": sid})
        if grant.secret is None:
            raise KeyGone("API Management has no such subscription any more", status=404)
        key = {"displayName": grant.key, "primaryKey": grant.secret, "allowTracing": False}
        self.service.put(f"/subscriptions/{sid}", {**wanted, **key}, notify="false")
        return KeyPlaced(handle={"sid": sid})

    def suspend_key(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """Set the subscription's state; its key stays."""
        self.service.patch(f"/subscriptions/{handle['sid']}", {"state": "suspended"}, etag=ANY)

    def remove_key(self, grant: KeyGrant, handle: Fields, ref: str, *, last: bool) -> None:
        """Delete the subscription; there is no consumer beside it."""
        sid = handle.get("sid") or f"{self.connection.mark}-{grant.key}"
        self.service.delete(f"/subscriptions/{sid}", etag=ANY)

    def _desired_of(self, document: DesiredDocument, plan: DesiredPlan, ref: str) -> Iterator[Resource]:
        label = f"{plan.name} ({plan.slug})"
        fields = {
            "displayName": f"{document.name}: {label}"[:300],
            "description": _ownership(document),
            "subscriptionRequired": True,
            "approvalRequired": False,
            "state": "published",
        }
        yield Resource(kind="product", key=plan.ref, label=f"product {label}", fields=fields)
        yield Resource(kind="policy", key=plan.ref, label=f"policy of {label}", fields=elements_of(plan.limits))
        yield Resource(kind="api", key=f"{plan.ref}/{ref}", label=f"API of {label}", fields={"api": ref})

    def _is_ours(self, document: DesiredDocument, product: Mapping[str, Any]) -> bool:
        """Tell whether a product is one of ours for this mapping: by its id, or where that is gone, its description."""
        plan = _plan_of(document.mark, product)
        is_marked = product["properties"].get("description") == _ownership(document)
        return plan is not None and (plan in {one.ref for one in document.plans} or is_marked)

    def _live(self, document: DesiredDocument, product: Mapping[str, Any]) -> Iterator[Resource]:
        plan, properties = str(_plan_of(document.mark, product)), product["properties"]
        path, label = self._product_path(document.mark, plan), str(properties.get("displayName", ""))
        managed = ("displayName", "description", "subscriptionRequired", "approvalRequired", "state")
        whole = self.service.get(path)
        if whole is None:
            return
        fields = {name: properties.get(name) for name in managed if properties.get(name) is not None}
        etag = {"etag": whole.headers.get("etag", "")}
        yield Resource(kind="product", key=plan, label=f"product {label}", fields=fields, handle=etag)
        policy = self.service.get(f"{path}/policies/policy", format="rawxml")
        if policy is not None:
            text = str(policy.json["properties"]["value"])
            handle = {"etag": policy.headers.get("etag", ""), "document": text}
            yield Resource(kind="policy", key=plan, label=f"policy of {label}", fields=_read(text), handle=handle)
        for api in self.service.pages(f"{path}/apis"):
            name = str(api["name"])
            yield Resource(kind="api", key=f"{plan}/{name}", label=f"API {name} of {label}", fields={"api": name})

    def _apply_product(self, change: Change, path: str, etag: str) -> None:
        if change.wanted is not None:
            self.service.put(path, change.wanted.fields, etag=etag)
            return
        attached = next(self.service.pages(f"{path}/subscriptions", **{"$top": "1"}), None)
        if attached is not None:
            raise Conflict(f"The {change.resource.label} has subscriptions at the gateway; remove their keys first")
        self.service.delete(path, etag=etag, deleteSubscriptions="false")

    def _apply_policy(self, change: Change, path: str, etag: str) -> None:
        if change.wanted is None:
            self.service.delete(f"{path}/policies/policy", etag=etag)
            return
        elements = [text for texts in change.wanted.fields.values() for text in texts]
        document = None if change.found is None else str(change.found.handle["document"])
        value = with_elements(document, elements)
        self.service.put(f"{path}/policies/policy", {"format": "rawxml", "value": value}, etag=etag)

    @staticmethod
    def _product_path(mark: str, plan: str) -> str:
        return f"/products/{mark}-{plan}"


def _ownership(document: DesiredDocument) -> str:
    """Return the description by which our products are found when their plan is gone."""
    return f"Made by {document.mark} for {document.product}; changes here are undone."


def _plan_of(mark: str, product: Mapping[str, Any]) -> str | None:
    """Return the plan of one of our products, None for those of others."""
    name = str(product["name"])
    return name.removeprefix(f"{mark}-") if name.startswith(f"{mark}-plan_") else None


def _read(text: str) -> dict[str, Any]:
    try:
        return read_elements(text)
    except UnreadablePolicy:
        return {"policy": UNREADABLE}


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].lower()
