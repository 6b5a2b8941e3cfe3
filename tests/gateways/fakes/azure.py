"""API Management, small: products, policies, APIs, subscriptions; etags, paging and formatting as Azure does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

from tests.gateways.contract import Answered, Contract, Sent
from tests.gateways.fakes.server import FakeGateway, answer, route

TENANT, CLIENT, SECRET = "tenant-1", "client-1", "s3cret-of-the-client"
SERVICE = "/subscriptions/azsub-1/resourceGroups/group-1/providers/Microsoft.ApiManagement/service/apim-1"
SETTINGS = {
    "cloud": "public",
    "tenant_id": TENANT,
    "subscription_id": "azsub-1",
    "resource_group": "group-1",
    "service_name": "apim-1",
}
CREDENTIALS = {"client_id": CLIENT, "client_secret": SECRET}
TOKEN = "token-of-azure"
PAGE = 2
SERVICE_PATTERN = re.escape(SERVICE)


def patched_with_a_body(document: dict[str, Any]) -> None:
    """Let PATCH answer 200 with the object, as it does since 2021; these files are of 2019, when it answered 204."""
    for path in document["paths"].values():
        if "patch" in path and "204" in path["patch"]["responses"]:
            path["patch"]["responses"]["200"] = path["get"]["responses"]["200"]


def azure_error(status: int, code: str, message: str) -> Answered:
    """Return an error in the Resource Manager's envelope."""
    return answer(status, {"error": {"code": code, "message": message, "details": []}})


class FakeAzure(FakeGateway):
    """One service with the API ``petstore``; ``refused_token`` makes the login refuse, ``token`` what it gives out."""

    contract = Contract(
        "azure/apimanagement-apimproducts.json",
        "azure/apimanagement-apimsubscriptions.json",
        edit=patched_with_a_body,
    )

    def __init__(self) -> None:
        super().__init__()
        self.apis = {"petstore"}
        self.products: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, str] = {}
        self.links: dict[str, list[str]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.etags: dict[str, int] = {}
        self.token = TOKEN

    def judged(self, sent: Sent) -> bool:
        """Leave out the login, which is another service, and single APIs, whose file is not among ours."""
        return "/oauth2/" not in sent.path and not re.match(f"{SERVICE_PATTERN}/apis/", sent.path)

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Refuse calls without the token, and API versions other than ours."""
        if "/oauth2/" in sent.path:
            return None
        if sent.headers.get("Authorization") != f"Bearer {self.token}":
            return azure_error(401, "AuthenticationFailed", "Authentication failed.")
        if ("api-version", "2024-05-01") not in sent.query:
            return azure_error(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        return None

    def unknown(self, sent: Sent) -> Answered:
        """Say it as the Resource Manager does."""
        return azure_error(404, "ResourceNotFound", "The Resource was not found.")

    @route("POST", r"/([^/]+)/oauth2/v2\.0/token")
    def login(self, sent: Sent, tenant: str) -> Answered:
        """Give out the token for the right client."""
        form = {name: values[0] for name, values in parse_qs(sent.body.decode()).items()}
        if (tenant, form.get("client_id"), form.get("client_secret")) != (TENANT, CLIENT, SECRET):
            said = "AADSTS7000215: Invalid client secret provided."
            return answer(401, {"error": "invalid_client", "error_description": said})
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == "https://management.azure.com/.default"
        return answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": self.token})

    @route("GET", rf"{SERVICE_PATTERN}/apis/([^/]+)")
    def get_api(self, sent: Sent, api: str) -> Answered:
        """Return the API."""
        return answer(200, self._api(api)) if api in self.apis else self.unknown(sent)

    @route("GET", rf"{SERVICE_PATTERN}/products")
    def list_products(self, sent: Sent) -> Answered:
        """Return a page of the products."""
        return self._page(sent, [self._product(name) for name in sorted(self.products)])

    @route("GET", rf"{SERVICE_PATTERN}/products/([^/]+)")
    def get_product(self, sent: Sent, name: str) -> Answered:
        """Return the product with its etag."""
        if name not in self.products:
            return self.unknown(sent)
        return answer(200, self._product(name), ETag=self._etag(f"product {name}"))

    @route("PUT", rf"{SERVICE_PATTERN}/products/([^/]+)")
    def put_product(self, sent: Sent, name: str) -> Answered:
        """Make or replace the product."""
        refused = self._stale(sent, f"product {name}", exists=name in self.products)
        if refused is not None:
            return refused
        status = 200 if name in self.products else 201
        self.products[name] = sent.json["properties"]
        self.links.setdefault(name, [])
        return answer(status, self._product(name), ETag=self._touch(f"product {name}"))

    @route("DELETE", rf"{SERVICE_PATTERN}/products/([^/]+)")
    def delete_product(self, sent: Sent, name: str) -> Answered:
        """Delete the product, unless it has subscriptions."""
        if name not in self.products:
            return Answered(204)
        refused = self._stale(sent, f"product {name}", exists=True)
        if refused is not None:
            return refused
        if any(key["scope"].endswith(f"/products/{name}") for key in self.keys.values()):
            return azure_error(400, "ValidationError", "Product has existing subscriptions.")
        del self.products[name], self.links[name]
        self.policies.pop(name, None)
        return Answered(200)

    @route("GET", rf"{SERVICE_PATTERN}/products/([^/]+)/policies/policy")
    def get_policy(self, sent: Sent, name: str) -> Answered:
        """Return the policy as the service formats it."""
        if name not in self.policies:
            return self.unknown(sent)
        return answer(200, self._policy(name), ETag=self._etag(f"policy {name}"))

    @route("PUT", rf"{SERVICE_PATTERN}/products/([^/]+)/policies/policy")
    def put_policy(self, sent: Sent, name: str) -> Answered:
        """Keep the policy; a product that is not there has none."""
        if name not in self.products:
            return self.unknown(sent)
        refused = self._stale(sent, f"policy {name}", exists=name in self.policies)
        if refused is not None:
            return refused
        status = 200 if name in self.policies else 201
        document = fromstring(sent.json["properties"]["value"])
        inbound = document.find("inbound")
        names = [] if inbound is None else [element.tag for element in inbound]
        if names.count("rate-limit") > 1 or names.count("quota") > 1:
            return azure_error(400, "ValidationError", "Policy cannot be used more than once.")
        self.policies[name] = formatted(document)
        return answer(status, self._policy(name), ETag=self._touch(f"policy {name}"))

    @route("DELETE", rf"{SERVICE_PATTERN}/products/([^/]+)/policies/policy")
    def delete_policy(self, sent: Sent, name: str) -> Answered:
        """Delete the policy."""
        refused = self._stale(sent, f"policy {name}", exists=name in self.policies)
        if refused is not None:
            return refused
        return Answered(204 if self.policies.pop(name, None) is None else 200)

    @route("GET", rf"{SERVICE_PATTERN}/products/([^/]+)/apis")
    def list_links(self, sent: Sent, name: str) -> Answered:
        """Return a page of the product's APIs."""
        return self._page(sent, [self._api(api) for api in self.links.get(name, [])])

    @route("PUT", rf"{SERVICE_PATTERN}/products/([^/]+)/apis/([^/]+)")
    def put_link(self, sent: Sent, name: str, api: str) -> Answered:
        """Add the API to the product."""
        if name not in self.products or api not in self.apis:
            return self.unknown(sent)
        is_new = api not in self.links[name]
        if is_new:
            self.links[name].append(api)
        return answer(201 if is_new else 200, self._api(api))

    @route("DELETE", rf"{SERVICE_PATTERN}/products/([^/]+)/apis/([^/]+)")
    def delete_link(self, sent: Sent, name: str, api: str) -> Answered:
        """Take the API out of the product."""
        if api not in self.links.get(name, []):
            return Answered(204)
        self.links[name].remove(api)
        return Answered(200)

    @route("GET", rf"{SERVICE_PATTERN}/products/([^/]+)/subscriptions")
    def list_subscriptions(self, sent: Sent, name: str) -> Answered:
        """Return a page of the product's subscriptions."""
        attached = [sid for sid, key in self.keys.items() if key["scope"].endswith(f"/products/{name}")]
        return self._page(sent, [self._subscription(sid) for sid in attached])

    @route("GET", rf"{SERVICE_PATTERN}/subscriptions/([^/]+)")
    def get_subscription(self, sent: Sent, sid: str) -> Answered:
        """Return the subscription without its keys."""
        if sid not in self.keys:
            return self.unknown(sent)
        return answer(200, self._subscription(sid), ETag=self._etag(f"subscription {sid}"))

    @route("PUT", rf"{SERVICE_PATTERN}/subscriptions/([^/]+)")
    def put_subscription(self, sent: Sent, sid: str) -> Answered:
        """Make the subscription; keys have to be its own."""
        properties = sent.json["properties"]
        if not any(properties["scope"].endswith(f"/products/{name}") for name in self.products):
            return azure_error(400, "ValidationError", "Product not found.")
        if any(key["primaryKey"] == properties["primaryKey"] for other, key in self.keys.items() if other != sid):
            return azure_error(400, "ValidationError", "Subscription keys must be unique.")
        status = 200 if sid in self.keys else 201
        self.keys[sid] = {"state": "active", **properties}
        return answer(status, self._subscription(sid), ETag=self._touch(f"subscription {sid}"))

    @route("PATCH", rf"{SERVICE_PATTERN}/subscriptions/([^/]+)")
    def patch_subscription(self, sent: Sent, sid: str) -> Answered:
        """Change what is given."""
        if sid not in self.keys:
            return self.unknown(sent)
        refused = self._stale(sent, f"subscription {sid}", exists=True)
        if refused is not None:
            return refused
        self.keys[sid] |= sent.json["properties"]
        return answer(200, self._subscription(sid), ETag=self._touch(f"subscription {sid}"))

    @route("DELETE", rf"{SERVICE_PATTERN}/subscriptions/([^/]+)")
    def delete_subscription(self, sent: Sent, sid: str) -> Answered:
        """Delete the subscription."""
        return Answered(204 if self.keys.pop(sid, None) is None else 200)

    def _stale(self, sent: Sent, thing: str, *, exists: bool) -> Answered | None:
        """Refuse a write on what somebody else changed; updates have to say what they know."""
        known = sent.headers.get("If-Match")
        if exists and known is None:
            return azure_error(400, "ValidationError", "Entity already exists; If-Match is required.")
        if known not in (None, "*", self._etag(thing)):
            return azure_error(412, "PreconditionFailed", "Resource was modified since last retrieval.")
        return None

    def _etag(self, thing: str) -> str:
        return f'"{self.etags.get(thing, 0):016d}"'

    def _touch(self, thing: str) -> str:
        self.etags[thing] = self.etags.get(thing, 0) + 1
        return self._etag(thing)

    def _page(self, sent: Sent, items: list[Mapping[str, Any]]) -> Answered:
        query = dict(sent.query)
        skip, top = int(query.get("$skip", 0)), min(int(query.get("$top", PAGE)), PAGE)
        body: dict[str, Any] = {"value": items[skip : skip + top], "count": len(items)}
        if skip + top < len(items):
            body["nextLink"] = f"{self.base_url}{sent.path}?%24skip={skip + top}&api-version=2024-05-01"
        return answer(200, body)

    def _entity(self, path: str, kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        whole = f"{SERVICE}{path}"
        return {"id": whole, "type": f"Microsoft.ApiManagement/service/{kind}", "name": name, "properties": properties}

    def _product(self, name: str) -> dict[str, Any]:
        return self._entity(f"/products/{name}", "products", {"terms": "", **self.products[name]})

    def _policy(self, name: str) -> dict[str, Any]:
        properties = {"format": "rawxml", "value": self.policies[name]}
        return self._entity(f"/products/{name}/policies/policy", "products/policies", properties)

    def _api(self, api: str) -> dict[str, Any]:
        return self._entity(f"/apis/{api}", "apis", {"displayName": api.title(), "path": api, "isCurrent": True})

    def _subscription(self, sid: str) -> dict[str, Any]:
        shown = {name: value for name, value in self.keys[sid].items() if name != "primaryKey"}
        return self._entity(f"/subscriptions/{sid}", "subscriptions", {"createdDate": "2026-11-21T10:00:00Z", **shown})


def formatted(document: ElementTree.Element) -> str:
    """Return a policy as the service gives it back: tabs, CRLF, its own quotes, and a blank before the slash."""
    ElementTree.indent(document, space="\t")
    text = ElementTree.tostring(document, encoding="unicode", short_empty_elements=True)
    return text.replace("\n", "\r\n") + "\r\n"
