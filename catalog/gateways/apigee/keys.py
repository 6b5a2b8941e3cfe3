"""Developers, their apps and keys: one developer with one app a subscription."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from catalog.gateways.apigee.organization import Organization
from catalog.gateways.apigee.products import attributes_of
from catalog.gateways.failures import Conflict, KeyGone
from catalog.gateways.interface import KeyGrant, KeyPlaced

APPROVED = "approved"


class Keys:
    """
    Keys of subscriptions in one organization.

    A key is found by its consumer secret: for keys of ours that is the id of the key, which is no secret because only
    the consumer key lets in; for clients the client id is the consumer key. So nothing that lets in has to be kept.
    """

    def __init__(self, organization: Organization, mark: str) -> None:
        self.organization = organization
        self.mark = mark

    def place(self, grant: KeyGrant, *, plan_product: str) -> KeyPlaced:
        """Bring the key there, approved and bound to ``plan_product``."""
        path = self._developer(grant)
        app = self._app(grant, path)
        found = next(self._found(grant, app), None)
        if found is None or self._has_another_secret(grant, found):
            found = self._imported(grant, path, found)
        key = f"{path}/keys/{quote(str(found['consumerKey']), safe='@')}"
        # A new key is approved and bound to nothing; one that must not let in yet is revoked before it is bound.
        if grant.state == "suspended" and found.get("status", APPROVED) == APPROVED:
            self.organization.act(key, "revoke")
        bound = {str(one["apiproduct"]) for one in found.get("apiProducts") or ()}
        if plan_product not in bound:
            # Which secret of the client it is cannot be seen from its id, so it is written on it.
            named = {"attributes": [{"name": f"{self.mark}-key", "value": grant.key}]} if grant.is_client else {}
            self.organization.post(key, {"apiProducts": [plan_product], **named})
        for other in sorted(bound - {plan_product}):
            if other.startswith(f"{self.mark}-plan_"):
                self.organization.delete(f"{key}/apiproducts/{quote(other, safe='@')}")
        if grant.state == "active" and found.get("status", APPROVED) != APPROVED:
            self.organization.act(key, "approve")
        return KeyPlaced(handle={"developer": self._email(grant), "app": self._app_name(grant)})

    def suspend(self, grant: KeyGrant) -> None:
        """Revoke the key where it is there."""
        for key in self._paths(grant):
            self.organization.act(key, "revoke")

    def remove(self, grant: KeyGrant, *, last: bool) -> None:
        """Delete the key where it is there, and with the last one the app and the developer."""
        for key in self._paths(grant):
            self.organization.delete(key)
        if last:
            self.organization.delete(self._app_path(grant))
            self.organization.delete(self._developer_path(grant))

    def _developer(self, grant: KeyGrant) -> str:
        """Make sure of the developer, who must be ours, and return the app's path."""
        found = self.organization.get(self._developer_path(grant))
        if found is None:
            self.organization.post(
                "/developers",
                {
                    "email": self._email(grant),
                    "firstName": grant.customer,
                    "lastName": grant.subscription,
                    "userName": grant.subscription,
                    "attributes": [{"name": f"{self.mark}-subscription", "value": grant.subscription}],
                },
            )
        elif attributes_of(found).get(f"{self.mark}-subscription") != grant.subscription:
            raise Conflict(f"The developer {self._email(grant)} exists already and is not ours", status=409)
        return self._app_path(grant)

    def _app(self, grant: KeyGrant, path: str) -> Mapping[str, Any]:
        """Return the app; without a product in it, because with one Apigee would make a key of its own."""
        found = self.organization.get(path)
        if found is not None:
            return found
        attributes = [{"name": f"{self.mark}-subscription", "value": grant.subscription}]
        return self.organization.post(
            f"{self._developer_path(grant)}/apps", {"name": self._app_name(grant), "attributes": attributes}
        )

    def _imported(self, grant: KeyGrant, path: str, outdated: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Import the key; a client's with another secret makes way, because its id can be there once only."""
        if grant.secret is None:
            raise KeyGone("Apigee has no such key any more", status=404)
        if outdated is not None:
            self.organization.delete(f"{path}/keys/{quote(str(outdated['consumerKey']), safe='@')}")
        consumer = {"consumerKey": grant.client_id, "consumerSecret": grant.secret}
        body = consumer if grant.is_client else {"consumerKey": grant.secret, "consumerSecret": grant.key}
        made = self.organization.post(f"{path}/keys/create", body)
        return {"status": APPROVED, **made, "consumerKey": body["consumerKey"]}

    def _paths(self, grant: KeyGrant) -> Iterator[str]:
        """Yield the path of the key where it is there."""
        app = self.organization.get(self._app_path(grant))
        for one in self._found(grant, app or {}):
            if grant.is_client and attributes_of(one).get(f"{self.mark}-key") != grant.key:
                # A newer secret of the same client stands there by now.
                continue
            yield f"{self._app_path(grant)}/keys/{quote(str(one['consumerKey']), safe='@')}"

    @staticmethod
    def _found(grant: KeyGrant, app: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for one in app.get("credentials") or ():
            known = one.get("consumerKey") if grant.is_client else one.get("consumerSecret")
            if known == (grant.client_id if grant.is_client else grant.key):
                yield one

    @staticmethod
    def _has_another_secret(grant: KeyGrant, found: Mapping[str, Any]) -> bool:
        return grant.is_client and grant.secret is not None and found.get("consumerSecret") != grant.secret

    def _email(self, grant: KeyGrant) -> str:
        """Return the developer's address, in a domain that can never exist (RFC 2606)."""
        return f"{grant.subscription}@{self.mark}.invalid".lower()

    def _app_name(self, grant: KeyGrant) -> str:
        return f"{self.mark}-{grant.subscription}"

    def _developer_path(self, grant: KeyGrant) -> str:
        return f"/developers/{quote(self._email(grant), safe='@')}"

    def _app_path(self, grant: KeyGrant) -> str:
        return f"{self._developer_path(grant)}/apps/{quote(self._app_name(grant), safe='@')}"
