"""API Manager, small: API instances with tiers and policies, and the login; what clients have is beside it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from tests.gateways.contract import Answered, Contract, Sent
from tests.gateways.fakes.server import FakeGateway, answer, route

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
ENVIRONMENT = "22222222-2222-4222-8222-222222222222"
SETTINGS = {
    "control_plane": "us",
    "organization_id": ORGANIZATION,
    "environment_id": ENVIRONMENT,
    "policy_version": "1.3.1",
}
CREDENTIALS = {"client_id": "client-1", "client_secret": "s3cret-of-the-app"}
TOKEN = "token-of-anypoint"
PAGE = 2
WITHIN = f"organizations/{ORGANIZATION}/environments/{ENVIRONMENT}/apis"
APIS, ACTIONS = f"/apimanager/api/v1/{WITHIN}", f"/apimanager/xapi/v1/{WITHIN}"
AUDIT = {"created": {"date": "2026-11-21T10:00:00.000Z"}, "updated": {}}


def mended(document: dict[str, Any]) -> None:
    """
    Let what the files leave out be answered.

    Two calls have a body and the status 204, which has none; few operations name the refusals that all of them have.
    """
    for path in document["paths"].values():
        for method, operation in path.items():
            if method == "parameters":
                continue
            responses = operation["responses"]
            if method == "get" and "204" in responses:
                responses["200"] = responses.pop("204")
            for status in ("400", "404", "409"):
                responses.setdefault(status, {"description": "Refused"})


def refusal(status: int, message: str) -> Answered:
    """Return an error with one message."""
    return answer(status, {"name": "Error", "message": message})


def invalid(field: str, message: str) -> Answered:
    """Return a refusal of a body, as a list of errors."""
    return answer(400, {"errors": [{"type": "validation", "dataPath": field, "message": message}]})


class FakeApiManager(FakeGateway):
    """
    One environment with the API instance 77.

    ``lists_fully`` gives policies in the other of the two forms.
    """

    contract = Contract(
        "mulesoft/authorization.yml",
        "mulesoft/apim.yml",
        "mulesoft/apim_tier.yml",
        "mulesoft/apim_policy.yml",
        "mulesoft/apim_contract.yml",
        "mulesoft/exchange_client_apps.yml",
        edit=mended,
        keeps_paths=True,
    )

    def __init__(self) -> None:
        super().__init__()
        self.instances = {"77"}
        self.master = ORGANIZATION
        self.tiers: dict[int, dict[str, Any]] = {}
        self.policies: dict[int, dict[str, Any]] = {}
        self.contracts: dict[int, dict[str, Any]] = {}
        self.token = TOKEN
        self.lists_fully = False
        self.numbers = count(1001)

    def judged(self, sent: Sent) -> bool:
        """Leave out contracts in Exchange, which no file has."""
        return not (sent.method == "POST" and sent.path.startswith("/exchange/") and sent.path.endswith("/contracts"))

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Refuse calls without the token."""
        if sent.path.startswith("/accounts/") or sent.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return Answered(401, {"Content-Type": "text/plain"}, b"Unauthorized")

    def unknown(self, sent: Sent) -> Answered:
        """Say it as the platform does."""
        return answer(404, {"name": "NotFoundError", "message": "The resource was not found"})

    @route("POST", "/accounts/api/v2/oauth2/token")
    def login(self, sent: Sent) -> Answered:
        """Give out the token for the right client."""
        if sent.json != {"grant_type": "client_credentials", **CREDENTIALS}:
            return Answered(401, {"Content-Type": "text/plain"}, b"Unauthorized")
        return answer(200, {"access_token": self.token, "expires_in": 3600, "token_type": "bearer"})

    @route("GET", APIS)
    def list_instances(self, sent: Sent) -> Answered:
        """Return the instances by their assets."""
        return answer(200, {"total": 1, "assets": [{"id": 5, "assetId": "petstore", "apis": [], "totalApis": 1}]})

    @route("GET", f"{APIS}/([^/]+)")
    def get_instance(self, sent: Sent, ref: str) -> Answered:
        """Return the instance."""
        if ref not in self.instances:
            return self.unknown(sent)
        names = {"groupId": ORGANIZATION, "assetId": "petstore", "assetVersion": "1.0.0", "productVersion": "v1"}
        owners = {"masterOrganizationId": self.master, "organizationId": ORGANIZATION}
        return answer(200, {"id": int(ref), "audit": AUDIT, "technology": "mule4", **owners, **names})

    @route("GET", f"{APIS}/([^/]+)/tiers")
    def list_tiers(self, sent: Sent, ref: str) -> Answered:
        """Return a page of the tiers, each with how many applications are on it."""
        used = [one.get("tierId") for one in self.contracts.values()]
        rows = [{**one, "applicationCount": used.count(one["id"])} for one in self._of(self.tiers, ref)]
        return self._page(sent, rows, "tiers")

    @route("POST", f"{APIS}/([^/]+)/tiers")
    def create_tier(self, sent: Sent, ref: str) -> Answered:
        """Make a tier; nothing keeps names apart."""
        return self._write_tier(sent, next(self.numbers), ref)

    @route("PUT", f"{APIS}/([^/]+)/tiers/([0-9]+)")
    def replace_tier(self, sent: Sent, ref: str, tier: str) -> Answered:
        """Replace the tier; that answers as if it were new."""
        return self._write_tier(sent, int(tier), ref) if int(tier) in self.tiers else self.unknown(sent)

    @route("DELETE", f"{APIS}/([^/]+)/tiers/([0-9]+)")
    def delete_tier(self, sent: Sent, ref: str, tier: str) -> Answered:
        """Delete the tier, unless a contract is on it."""
        if any(int(tier) in (one.get("tierId"), one.get("requestedTierId")) for one in self.contracts.values()):
            return invalid("", "The tier has contracts")
        return self._deleted(sent, self.tiers, int(tier))

    @route("GET", f"{APIS}/([^/]+)/policies")
    def list_policies(self, sent: Sent, ref: str) -> Answered:
        """Return the policies in one of the two forms."""
        rows = self._of(self.policies, ref)
        if not self.lists_fully:
            return answer(200, rows)
        named = ("groupId", "assetId", "assetVersion")
        full = [
            {
                "policyId": one["id"],
                "order": one["order"],
                "configuration": one["configurationData"],
                "template": {name: one[name] for name in named},
            }
            for one in rows
        ]
        return answer(200, {"policies": full})

    @route("POST", f"{APIS}/([^/]+)/policies")
    def create_policy(self, sent: Sent, ref: str) -> Answered:
        """Apply a policy; some exclude each other."""
        exclusive = {"client-id-enforcement", "rate-limiting-sla-based"}
        taken = {str(one["assetId"]) for one in self._of(self.policies, ref)}
        if sent.json["assetId"] in exclusive and taken & exclusive:
            return invalid("", "There is another policy applied with the same provided characteristics")
        number = next(self.numbers)
        added = {"id": number, "apiId": int(ref), "audit": AUDIT, "policyTemplateId": "348742"}
        self.policies[number] = {"disabled": False, "order": 1, **sent.json, **added}
        return answer(201, self.policies[number])

    @route("GET", f"{APIS}/([^/]+)/policies/([0-9]+)")
    def get_policy(self, sent: Sent, ref: str, policy: str) -> Answered:
        """Return the policy."""
        found = self.policies.get(int(policy))
        return self.unknown(sent) if found is None else answer(200, found)

    @route("PATCH", f"{APIS}/([^/]+)/policies/([0-9]+)")
    def patch_policy(self, sent: Sent, ref: str, policy: str) -> Answered:
        """Set what is given; the configuration is replaced as a whole."""
        if int(policy) not in self.policies:
            return self.unknown(sent)
        self.policies[int(policy)] |= sent.json
        return answer(200, self.policies[int(policy)])

    @route("POST", f"{ACTIONS}/([^/]+)/policies/([0-9]+)/enable")
    def enable_policy(self, sent: Sent, ref: str, policy: str) -> Answered:
        """Switch the policy on."""
        self.policies[int(policy)]["disabled"] = False
        return answer(201, self.policies[int(policy)])

    def add_policy(self, asset: str, **fields: Any) -> dict[str, Any]:
        """Apply a policy by hand."""
        number = next(self.numbers)
        common: dict[str, Any] = {
            "groupId": "g",
            "assetVersion": "1.2.0",
            "configurationData": {},
            "pointcutData": None,
            "order": 1,
        }
        self.policies[number] = {"id": number, "apiId": 77, "assetId": asset, "disabled": False, **common, **fields}
        return self.policies[number]

    def policy(self) -> dict[str, Any]:
        """Return the policy that holds to tiers."""
        [found] = [one for one in self.policies.values() if one["assetId"] == "rate-limiting-sla-based"]
        return found

    def tier(self, name: str) -> dict[str, Any]:
        """Return the tier of a name."""
        [found] = [one for one in self.tiers.values() if one["name"] == name]
        return found

    def _write_tier(self, sent: Sent, number: int, ref: str) -> Answered:
        """Keep a tier, which needs a limit that can be seen; what the server adds is its own."""
        body = sent.json
        if not any(one["visible"] for one in body["limits"]):
            return invalid("limits", "should have at least one visible limit")
        added = {"id": number, "apiId": int(ref), "apiVersionId": ref, "organizationId": ORGANIZATION, "audit": AUDIT}
        # In no order of ours.
        self.tiers[number] = {**body, "limits": body["limits"][::-1], **added}
        return answer(201, self.tiers[number])

    def _deleted(self, sent: Sent, things: dict[int, dict[str, Any]], number: int) -> Answered:
        return self.unknown(sent) if things.pop(number, None) is None else Answered(204)

    @staticmethod
    def _of(things: dict[int, dict[str, Any]], ref: str) -> list[dict[str, Any]]:
        return [one for one in things.values() if one["apiId"] == int(ref)]

    @staticmethod
    def _page(sent: Sent, rows: Iterable[dict[str, Any]], name: str) -> Answered:
        """Return a page; it is smaller than asked for, and a bare list says nothing of the rest."""
        query, all_rows = dict(sent.query), list(rows)
        start, most = int(query.get("offset", 0)), min(int(query.get("limit", PAGE)), PAGE)
        page = all_rows[start : start + most]
        return answer(200, {"total": len(all_rows), name: page} if name else page)
