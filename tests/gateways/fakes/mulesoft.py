"""Anypoint, small: API Manager with contracts, and the client applications of Exchange."""

from __future__ import annotations

from typing import Any

from tests.gateways.contract import Answered, Sent
from tests.gateways.fakes.api_manager import ACTIONS, APIS, AUDIT, FakeApiManager, invalid, refusal
from tests.gateways.fakes.server import answer, route

APPLICATIONS = "/exchange/api/v2/organizations/([^/]+)/applications"
#: What each action makes of a contract, and of which it takes it.
ACTIONS_ON_CONTRACTS = {
    "approve": ("APPROVED", {"PENDING", "APPROVED", "REJECTED"}),
    "reject": ("REJECTED", {"PENDING"}),
    "revoke": ("REVOKED", {"APPROVED"}),
    "restore": ("APPROVED", {"REVOKED"}),
}


class FakeAnypoint(FakeApiManager):
    """
    Beside API Manager the applications.

    ``wants_exchange`` refuses contracts on tiers but in Exchange, ``asks_for_tiers`` makes a change of tier a request
    that has to be approved, ``hides_secrets`` shows them only when they are made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.applications: dict[int, dict[str, Any]] = {}
        self.wants_exchange = self.asks_for_tiers = self.hides_secrets = False

    @route("GET", f"{APIS}/([^/]+)/contracts")
    def list_contracts(self, sent: Sent, ref: str) -> Answered:
        """Return a page of the contracts."""
        return self._page(sent, self._of(self.contracts, ref), "contracts")

    @route("POST", f"{APIS}/([^/]+)/contracts")
    def create_contract(self, sent: Sent, ref: str) -> Answered:
        """Make a contract, unless only Exchange may."""
        if self.wants_exchange:
            return invalid("requestedTierId", "is not allowed here")
        return self._agree(sent, ref, sent.json["applicationId"], 200)

    @route("POST", f"{APPLICATIONS}/([0-9]+)/contracts")
    def create_contract_in_exchange(self, sent: Sent, organization: str, application: str) -> Answered:
        """Make a contract with an instance that is named by its asset."""
        body = sent.json
        assert (body["assetId"], body["version"], body["versionGroup"]) == ("petstore", "1.0.0", "v1")
        assert body["acceptedTerms"] is True
        return self._agree(sent, body["apiId"], int(application), 201)

    @route("GET", f"{APIS}/([^/]+)/contracts/([0-9]+)")
    def get_contract(self, sent: Sent, ref: str, contract: str) -> Answered:
        """Return the contract."""
        found = self._contract(ref, contract)
        return self.unknown(sent) if found is None else answer(200, found)

    @route("PATCH", f"{APIS}/([^/]+)/contracts/([0-9]+)")
    def patch_contract(self, sent: Sent, ref: str, contract: str) -> Answered:
        """Move the contract to another tier, or ask for that."""
        found = self._contract(ref, contract)
        if found is None:
            return self.unknown(sent)
        asked = sent.json["requestedTierId"]
        found |= {"requestedTierId": asked} if self.asks_for_tiers else {"tierId": asked, "requestedTierId": None}
        return answer(200, found)

    @route("POST", f"{ACTIONS}/([^/]+)/contracts/([0-9]+)/([a-z]+)")
    def act_on_contract(self, sent: Sent, ref: str, contract: str, action: str) -> Answered:
        """Take an action, which comes without a body."""
        assert sent.body == b""
        found = self._contract(ref, contract)
        if found is None:
            return self.unknown(sent)
        status, of = ACTIONS_ON_CONTRACTS[action]
        if found["status"] not in of:
            return refusal(400, f"A contract that is {found['status']} cannot be {status}")
        found["status"] = status
        if action == "approve" and found.get("requestedTierId"):
            found |= {"tierId": found["requestedTierId"], "requestedTierId": None}
        return answer(201, found)

    @route("DELETE", f"{APIS}/([^/]+)/contracts/([0-9]+)")
    def delete_contract(self, sent: Sent, ref: str, contract: str) -> Answered:
        """Delete the contract, unless it lets in."""
        found = self._contract(ref, contract)
        if found is not None and found["status"] not in ("REVOKED", "REJECTED"):
            return refusal(400, "The contract has to be revoked first")
        return self._deleted(sent, self.contracts, int(contract))

    @route("GET", APPLICATIONS)
    def list_applications(self, sent: Sent, organization: str) -> Answered:
        """Return a page of the applications whose name is like what is asked for, without a total."""
        query = dict(sent.query)
        assert (organization, query["targetAdminSite"]) == (self.master, "true")
        rows = [one for one in self.applications.values() if query.get("query", "").lower() in one["name"].lower()]
        return self._page(sent, [self._shown(one, is_list=True) for one in rows], "")

    @route("POST", APPLICATIONS)
    def create_application(self, sent: Sent, organization: str) -> Answered:
        """Make an application with id and secret; names are there once in an organization."""
        assert organization == self.master
        if any(one["name"] == sent.json["name"] for one in self.applications.values()):
            return refusal(409, "The application name must be unique")
        number = next(self.numbers)
        kept = {name: value for name, value in sent.json.items() if name != "apiEndpoints"}
        made = {"clientId": f"mule-id-{number}", "clientSecret": f"mule-secret-{number}"}
        self.applications[number] = {"id": number, "url": None, "masterOrganizationId": self.master, **kept, **made}
        return answer(201, self.applications[number])

    @route("GET", f"{APPLICATIONS}/([0-9]+)")
    def get_application(self, sent: Sent, organization: str, application: str) -> Answered:
        """Return the application with its secret."""
        found = self.applications.get(int(application))
        return self.unknown(sent) if found is None else answer(200, self._shown(found))

    @route("DELETE", f"{APPLICATIONS}/([0-9]+)")
    def delete_application(self, sent: Sent, organization: str, application: str) -> Answered:
        """Delete the application, unless it has a contract."""
        if any(one["applicationId"] == int(application) for one in self.contracts.values()):
            return refusal(400, "The application has contracts")
        return self._deleted(sent, self.applications, int(application))

    def _agree(self, sent: Sent, ref: str, application: int, status: int) -> Answered:
        """Make a contract; on a tier that does not approve by itself it waits."""
        tier = self.tiers.get(sent.json["requestedTierId"])
        if tier is None or application not in self.applications:
            return invalid("requestedTierId", "no such tier or application")
        if any((one["apiId"], one["applicationId"]) == (int(ref), application) for one in self.contracts.values()):
            return refusal(409, "A contract exists between this application and this API")
        number = next(self.numbers)
        ids = {"id": number, "apiId": int(ref), "applicationId": application, "audit": AUDIT}
        waits = {"status": "PENDING", "requestedTierId": tier["id"]}
        self.contracts[number] = {
            **ids,
            **({"status": "APPROVED", "tierId": tier["id"]} if tier["autoApprove"] else waits),
        }
        return answer(status, self.contracts[number])

    def _contract(self, ref: str, contract: str) -> dict[str, Any] | None:
        found = self.contracts.get(int(contract))
        return found if found is not None and found["apiId"] == int(ref) else None

    def _shown(self, application: dict[str, Any], *, is_list: bool = False) -> dict[str, Any]:
        hidden = {"clientSecret"} if self.hides_secrets or is_list else set()
        return {name: value for name, value in application.items() if name not in hidden}
