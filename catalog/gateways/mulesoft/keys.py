"""Client applications and their contracts: one of each for every key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from catalog.gateways.failures import Conflict, KeyGone, NotAllowed, ObjectMissing, Refused
from catalog.gateways.interface import Fields, KeyGrant, KeyPlaced
from catalog.gateways.mulesoft.anypoint import Anypoint

APPROVED, PENDING, REVOKED, REJECTED = "APPROVED", "PENDING", "REVOKED", "REJECTED"


class Keys:
    """
    Keys of subscriptions in one environment.

    Anypoint makes client id and secret itself and lets an application have one contract with an API instance. Names of
    applications are unique in an organization, so one that a lost answer left behind is found by its name.
    """

    def __init__(self, anypoint: Anypoint, mark: str) -> None:
        self.anypoint = anypoint
        self.mark = mark

    def place(self, grant: KeyGrant, ref: str, *, tier: int) -> KeyPlaced:
        """
        Bring application and contract there; what Anypoint made is returned until we have kept where it is.

        Raises:
            KeyGone: the application that we handed out is not there any more.
        """
        instance = self.anypoint.instance(ref)
        organization = str(instance.get("masterOrganizationId") or self.anypoint.organization)
        application, is_new = self._application(grant, ref, organization)
        made = {} if grant.handle else self._made(organization, application)
        contract = None if is_new else self._contract(ref, application["id"], grant.handle.get("contract"))
        if contract is None:
            contract = self._request(ref, organization, application["id"], tier, instance)
        self._settle(ref, contract, tier, is_active=grant.state == "active")
        self._leave_former(grant, ref)
        handle = {
            "organization": organization,
            "application": application["id"],
            "instance": ref,
            "contract": contract["id"],
        }
        return KeyPlaced(handle=handle, made=made)

    def suspend(self, handle: Fields, ref: str) -> None:
        """Revoke the contract where it lets in."""
        contract = self._contract(ref, handle["application"], handle.get("contract"))
        if contract is not None and contract.get("status") == APPROVED:
            self._act(ref, contract, "revoke")

    def remove(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """End the contract, then delete the application; what is gone is fine."""
        organization = str(handle.get("organization") or self._organization(ref))
        application = handle.get("application") or (self._found(grant, organization) or {}).get("id")
        if application is None:
            return
        self._end(ref, application, handle.get("contract"))
        self.anypoint.delete(self.anypoint.applications(organization, f"/{application}"))

    def _application(self, grant: KeyGrant, ref: str, organization: str) -> tuple[dict[str, Any], bool]:
        """Return the application, and whether it was made just now."""
        if grant.handle:
            found = self.anypoint.get(self.anypoint.applications(organization, f"/{grant.handle['application']}"))
            if found is None:
                raise KeyGone("Anypoint has no such client application any more", status=404)
            return found, False
        found = self._found(grant, organization)
        if found is not None:
            return found, False
        body = {
            "name": self._name(grant),
            "description": self._ownership(grant),
            "redirectUri": [],
            "grantTypes": [],
            "apiEndpoints": False,
        }
        try:
            return self.anypoint.post(self.anypoint.applications(organization), body, apiInstanceId=ref), True
        except Conflict:
            found = self._found(grant, organization)
            if found is None:
                raise
            return found, False

    def _found(self, grant: KeyGrant, organization: str) -> dict[str, Any] | None:
        """
        Return the application of this name, which must be ours.

        Raises:
            Conflict: it is not.
        """
        name = self._name(grant)
        rows = self.anypoint.rows(self.anypoint.applications(organization), targetAdminSite="true", query=name)
        found = next((one for one in rows if one.get("name") == name), None)
        if found is not None and found.get("description") != self._ownership(grant):
            raise Conflict(f"A client application called '{name}' exists already and is not ours", status=409)
        return found

    def _made(self, organization: str, application: Mapping[str, Any]) -> dict[str, str]:
        """
        Return client id and secret of an application that nobody has been told of yet.

        Raises:
            NotAllowed: the secret is not shown to us.
        """
        path = self.anypoint.applications(organization, f"/{application['id']}")
        shown = application if application.get("clientSecret") else self.anypoint.get(path) or {}
        if not shown.get("clientId") or not shown.get("clientSecret"):
            raise NotAllowed("Anypoint does not show the client's secret: the Connected App needs more scopes")
        return {"client_id": str(shown["clientId"]), "client_secret": str(shown["clientSecret"])}

    def _contract(self, ref: str, application: int, known: Any) -> dict[str, Any] | None:
        """Return the application's contract with the API instance: by its id, or where that is not it, by looking."""
        found = self.anypoint.get(self.anypoint.of_instance(ref, f"/contracts/{known}")) if known else None
        if found is not None and _application_of(found) == application:
            return found
        rows = self.anypoint.rows(self.anypoint.of_instance(ref, "/contracts"), "contracts")
        return next((one for one in rows if _application_of(one) == application), None)

    def _request(
        self, ref: str, organization: str, application: int, tier: int, instance: Mapping[str, Any]
    ) -> dict[str, Any]:
        """
        Make the contract: through API Manager, or through Exchange where that does not take an instance with tiers.

        Which of both an organization takes is not documented.
        """
        path = self.anypoint.of_instance(ref, "/contracts")
        try:
            return self.anypoint.post(path, {"applicationId": application, "requestedTierId": tier})
        except Conflict:
            made: Mapping[str, Any] = {}
        except Refused as refused:
            if refused.status != 400:
                raise
            made = self._request_in_exchange(ref, organization, application, tier, instance)
        contract = self._contract(ref, application, made.get("id"))
        if contract is None:
            raise Refused("Anypoint took the request for a contract, but has none for the application")
        return contract

    def _request_in_exchange(
        self, ref: str, organization: str, application: int, tier: int, instance: Mapping[str, Any]
    ) -> dict[str, Any]:
        version = str(instance["assetVersion"])
        body = {
            "apiId": ref,
            "environmentId": self.anypoint.environment,
            "instanceType": "api",
            "acceptedTerms": True,
            "organizationId": self.anypoint.organization,
            "groupId": instance.get("groupId") or self.anypoint.organization,
            "assetId": instance["assetId"],
            "requestedTierId": tier,
            "version": version,
            "versionGroup": instance.get("productVersion") or f"v{version.partition('.')[0]}",
        }
        return self.anypoint.post(self.anypoint.applications(organization, f"/{application}/contracts"), body)

    def _settle(self, ref: str, contract: Mapping[str, Any], tier: int, *, is_active: bool) -> None:
        """
        Bring the contract to its tier, and only then let it in.

        Raises:
            Refused: it stays on another tier.
        """
        if tier not in (_tier_of(contract), _requested_of(contract)):
            path = self.anypoint.of_instance(ref, f"/contracts/{contract['id']}")
            contract = self.anypoint.patch(path, {"requestedTierId": tier, "tierId": tier})
        if not is_active:
            return
        if contract.get("status") == REVOKED:
            contract = self._act(ref, contract, "restore")
        if contract.get("status") != APPROVED or _tier_of(contract) != tier:
            contract = self._act(ref, contract, "approve")
        if _tier_of(contract) != tier:
            raise Refused("The contract stays on another tier; change it in API Manager")

    def _leave_former(self, grant: KeyGrant, ref: str) -> None:
        """End the contract with the API instance that the mapping named before."""
        former = grant.handle.get("instance")
        if former and former != ref:
            self._end(str(former), grant.handle["application"], grant.handle.get("contract"))

    def _end(self, ref: str, application: int, known: Any) -> None:
        """Revoke and delete the contract; the platform deletes only what lets nobody in."""
        with suppress(ObjectMissing):
            contract = self._contract(ref, application, known)
            if contract is None:
                return
            if contract.get("status") not in (REVOKED, REJECTED):
                self._act(ref, contract, "reject" if contract.get("status") == PENDING else "revoke")
            self.anypoint.delete(self.anypoint.of_instance(ref, f"/contracts/{contract['id']}"))

    def _act(self, ref: str, contract: Mapping[str, Any], action: str) -> dict[str, Any]:
        return self.anypoint.act(self.anypoint.action_of(ref, f"/contracts/{contract['id']}/{action}"))

    def _organization(self, ref: str) -> str:
        """Return the organization that keeps the applications: the topmost one, which the API instance names."""
        with suppress(ObjectMissing):
            return str(self.anypoint.instance(ref).get("masterOrganizationId") or self.anypoint.organization)
        return self.anypoint.organization

    def _name(self, grant: KeyGrant) -> str:
        return f"{self.mark}-{grant.key}"

    def _ownership(self, grant: KeyGrant) -> str:
        return f"Made by {self.mark} for {grant.subscription}."


def _application_of(contract: Mapping[str, Any]) -> Any:
    return contract.get("applicationId") or (contract.get("application") or {}).get("id")


def _tier_of(contract: Mapping[str, Any]) -> Any:
    return contract.get("tierId") or (contract.get("tier") or {}).get("id")


def _requested_of(contract: Mapping[str, Any]) -> Any:
    return contract.get("requestedTierId") or (contract.get("requestedTier") or {}).get("id")
