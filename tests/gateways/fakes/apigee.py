"""Apigee, small: proxies, API products, developers with apps and keys, and Google's token service beside it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.gateways.contract import Answered, Contract, Sent
from tests.gateways.fakes.server import FakeGateway, answer, route

ORGANIZATION = "org-1"
BASE = f"/v1/organizations/{ORGANIZATION}"
SETTINGS = {"organization": ORGANIZATION, "environments": "prod, eval"}
TOKEN = "token-of-google"
PAGE = 3


@lru_cache
def private_key() -> str:
    """Return a key in PEM, as a key file has it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


def error(status: int, code: str, message: str) -> Answered:
    """Return an error in Google's envelope."""
    return answer(status, {"error": {"code": status, "status": code, "message": message}})


class FakeApigee(FakeGateway):
    """One organization with the proxy ``petstore``; ``token`` is what the token service gives out."""

    contract = Contract("apigee/apigee-subset.openapi.json")

    def __init__(self) -> None:
        super().__init__()
        self.proxies = {"petstore"}
        self.products: dict[str, dict[str, Any]] = {}
        self.developers: dict[str, dict[str, Any]] = {}
        self.apps: dict[tuple[str, str], dict[str, Any]] = {}
        self.token = TOKEN
        self.refuses_tokens = False

    def credentials(self) -> dict[str, str]:
        """Return the credentials of a connection: a key file whose tokens come from here."""
        key_file = {
            "type": "service_account",
            "client_email": "meterdesk@project.iam.gserviceaccount.com",
            "private_key": private_key(),
            "token_uri": f"{self.base_url}/token",
        }
        return {"service_account": json.dumps(key_file)}

    def judged(self, sent: Sent) -> bool:
        """Leave out the token service, and actions, which the file takes in JSON and the manual does not."""
        return sent.path != "/token" and "action" not in dict(sent.query)

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Refuse calls without the token."""
        if sent.path == "/token" or sent.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def unknown(self, sent: Sent) -> Answered:
        """Say it as Google does."""
        return error(404, "NOT_FOUND", f"{sent.path} does not exist")

    @route("POST", "/token")
    def give_token(self, sent: Sent) -> Answered:
        """Give out the token for a signed assertion."""
        assert b"assertion=" in sent.body
        if self.refuses_tokens:
            return answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        return answer(200, {"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})

    @route("GET", BASE)
    def get_organization(self, sent: Sent) -> Answered:
        """Return the organization."""
        return answer(200, {"name": ORGANIZATION, "environments": ["prod", "eval"], "runtimeType": "CLOUD"})

    @route("GET", f"{BASE}/apis/([^/]+)")
    def get_proxy(self, sent: Sent, name: str) -> Answered:
        """Return the proxy."""
        return answer(200, {"name": name, "revision": ["1"]}) if name in self.proxies else self.unknown(sent)

    @route("GET", f"{BASE}/apiproducts")
    def list_products(self, sent: Sent) -> Answered:
        """Return a page that begins with the key asked for."""
        query = dict(sent.query)
        names = [name for name in sorted(self.products) if name >= query.get("startKey", "")]
        assert query["expand"] == "true"
        page = [self.products[name] for name in names[: min(int(query["count"]), PAGE)]]
        return answer(200, {"apiProduct": page} if page else {})

    @route("POST", f"{BASE}/apiproducts")
    def create_product(self, sent: Sent) -> Answered:
        """Make a product; names are there once."""
        body = sent.json
        if body["name"] in self.products:
            return error(409, "ALREADY_EXISTS", f"apiproduct {body['name']} already exists")
        return self._keep_product(body["name"], body, 201)

    @route("GET", f"{BASE}/apiproducts/([^/]+)")
    def get_product(self, sent: Sent, name: str) -> Answered:
        """Return the product."""
        return answer(200, self.products[name]) if name in self.products else self.unknown(sent)

    @route("PUT", f"{BASE}/apiproducts/([^/]+)")
    def replace_product(self, sent: Sent, name: str) -> Answered:
        """Replace all of the product."""
        return self._keep_product(name, sent.json, 200) if name in self.products else self.unknown(sent)

    @route("DELETE", f"{BASE}/apiproducts/([^/]+)")
    def delete_product(self, sent: Sent, name: str) -> Answered:
        """Delete the product, unless a key is bound to it."""
        if name not in self.products:
            return self.unknown(sent)
        if any(name in self._bound(key) for app in self.apps.values() for key in app["credentials"]):
            return error(400, "FAILED_PRECONDITION", f"apiproduct {name} is still referenced by an app")
        return answer(200, self.products.pop(name))

    @route("POST", f"{BASE}/developers")
    def create_developer(self, sent: Sent) -> Answered:
        """Make a developer."""
        body = sent.json
        if body["email"] in self.developers:
            return error(409, "ALREADY_EXISTS", "developer already exists")
        self.developers[body["email"]] = {**body, "status": "active", "createdAt": "1763719200000"}
        return answer(201, self.developers[body["email"]])

    @route("GET", f"{BASE}/developers/([^/]+)")
    def get_developer(self, sent: Sent, email: str) -> Answered:
        """Return the developer."""
        found = self.developers.get(unquote(email))
        return self.unknown(sent) if found is None else answer(200, found)

    @route("DELETE", f"{BASE}/developers/([^/]+)")
    def delete_developer(self, sent: Sent, email: str) -> Answered:
        """Delete the developer."""
        found = self.developers.pop(unquote(email), None)
        return self.unknown(sent) if found is None else answer(200, found)

    @route("POST", f"{BASE}/developers/([^/]+)/apps")
    def create_app(self, sent: Sent, email: str) -> Answered:
        """Make an app; with products in it, it would get a key of Apigee's own."""
        name = (unquote(email), sent.json["name"])
        if name[0] not in self.developers:
            return self.unknown(sent)
        assert "apiProducts" not in sent.json
        self.apps[name] = {**sent.json, "status": "approved", "credentials": [], "createdAt": "1763719200000"}
        return answer(201, self.apps[name])

    @route("GET", f"{BASE}/developers/([^/]+)/apps/([^/]+)")
    def get_app(self, sent: Sent, email: str, name: str) -> Answered:
        """Return the app with its keys, secrets and all."""
        found = self.apps.get((unquote(email), unquote(name)))
        return self.unknown(sent) if found is None else answer(200, found)

    @route("DELETE", f"{BASE}/developers/([^/]+)/apps/([^/]+)")
    def delete_app(self, sent: Sent, email: str, name: str) -> Answered:
        """Delete the app."""
        found = self.apps.pop((unquote(email), unquote(name)), None)
        return self.unknown(sent) if found is None else answer(200, found)

    @route("POST", f"{BASE}/developers/([^/]+)/apps/([^/]+)/keys/create")
    def import_key(self, sent: Sent, email: str, name: str) -> Answered:
        """Take a key; it is approved and bound to nothing."""
        app, body = self.apps[unquote(email), unquote(name)], sent.json
        if any(key["consumerKey"] == body["consumerKey"] for one in self.apps.values() for key in one["credentials"]):
            return error(409, "ALREADY_EXISTS", "consumer key already exists")
        app["credentials"].append({**body, "status": "approved", "issuedAt": "1763719200000"})
        return answer(201, app["credentials"][-1])

    @route("POST", f"{BASE}/developers/([^/]+)/apps/([^/]+)/keys/([^/]+)")
    def update_key(self, sent: Sent, email: str, name: str, key: str) -> Answered:
        """Add products to the key, or set its status."""
        found = self._key(email, name, key)
        if found is None:
            return self.unknown(sent)
        action = dict(sent.query).get("action")
        if action is not None:
            assert sent.headers["Content-Type"] == "application/octet-stream"
            found["status"] = {"approve": "approved", "revoke": "revoked"}[action]
            return Answered(204)
        for product in sent.json.get("apiProducts", []):
            if product not in self.products:
                return error(400, "INVALID_ARGUMENT", f"apiproduct {product} does not exist")
            found.setdefault("apiProducts", []).append({"apiproduct": product, "status": "approved"})
        if "attributes" in sent.json:
            found["attributes"] = sent.json["attributes"]
        return answer(200, found)

    @route("DELETE", f"{BASE}/developers/([^/]+)/apps/([^/]+)/keys/([^/]+)")
    def delete_key(self, sent: Sent, email: str, name: str, key: str) -> Answered:
        """Delete the key."""
        found = self._key(email, name, key)
        if found is None:
            return self.unknown(sent)
        self.apps[unquote(email), unquote(name)]["credentials"].remove(found)
        return answer(200, found)

    @route("DELETE", f"{BASE}/developers/([^/]+)/apps/([^/]+)/keys/([^/]+)/apiproducts/([^/]+)")
    def unbind_product(self, sent: Sent, email: str, name: str, key: str, product: str) -> Answered:
        """Take a product from the key."""
        found = self._key(email, name, key)
        assert found is not None
        found["apiProducts"] = [one for one in found["apiProducts"] if one["apiproduct"] != product]
        return answer(200, found)

    def all_keys(self) -> list[dict[str, Any]]:
        """Return all keys of all apps."""
        return [key for app in self.apps.values() for key in app["credentials"]]

    def _keep_product(self, name: str, body: dict[str, Any], status: int) -> Answered:
        """Keep a product; the server adds times, and empty lists of methods."""
        times = {"createdAt": "1763719200000", "lastModifiedAt": "1763719200001"}
        for config in body.get("operationGroup", {}).get("operationConfigs", []):
            for operation in config["operations"]:
                operation.setdefault("methods", [])
        self.products[name] = {**body, "name": name, **times}
        return answer(status, self.products[name])

    def _key(self, email: str, name: str, key: str) -> dict[str, Any] | None:
        app = self.apps.get((unquote(email), unquote(name)), {"credentials": []})
        return next((one for one in app["credentials"] if one["consumerKey"] == unquote(key)), None)

    @staticmethod
    def _bound(key: dict[str, Any]) -> list[str]:
        return [str(one["apiproduct"]) for one in key.get("apiProducts", [])]
