"""MuleSoft API Manager: an SLA tier a rate plan, one policy that holds to tiers, an application with contract a key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

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
from catalog.gateways.mulesoft.anypoint import Anypoint
from catalog.gateways.mulesoft.keys import Keys
from catalog.gateways.mulesoft.policies import VERSION, WANTED, apply_policy, fetch_policy
from catalog.gateways.mulesoft.tiers import body_of, managed_fields, plan_of, read_fields, tier_name
from catalog.limits import Limit

INSTANCE = re.compile(r"[1-9][0-9]{0,18}\Z")
POLICY_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){2}\Z")
NO_BURST = "A tier has no burst; a spike-control policy would count all callers together."
THIRTY_DAYS = "Its tiers know no calendar: a month is counted as 30 days."


class MuleSoftAdapter(GatewayAdapter):
    """One environment of an Anypoint organization."""

    vendor = "MULESOFT"
    label = "MuleSoft Anypoint"
    setting_fields = (
        Field(
            name="control_plane",
            label="Control plane",
            help="Where the organization lives; one that is not listed is named by the base URL.",
            choices=(("us", "US"), ("eu", "EU"), ("gov", "Government")),
            default="us",
        ),
        Field(
            name="organization_id",
            label="Organization",
            help="The id of the organization or business group, as in the address of Access Management.",
        ),
        Field(name="environment_id", label="Environment", help="The id of the environment, not its name."),
        Field(
            name="policy_version",
            label="Policy version",
            help="Of rate-limiting-sla-based, for API instances that have no such policy yet.",
            required=False,
            default=VERSION,
        ),
    )
    credential_fields = (
        Field(
            name="client_id",
            label="Client id",
            help="Of a Connected App that acts on its own behalf, with the scopes View APIs Configuration, Manage "
            "Policies, Manage SLA Tiers, Manage Contracts and Exchange Administrator.",
        ),
        Field(name="client_secret", label="Client secret"),
    )
    ref_label = "API instance"
    ref_help = (
        "The id of the API instance, a number, as API Manager shows it. Its policy rate-limiting-sla-based is made or "
        "taken over; client-id-enforcement must not be applied beside it."
    )

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.anypoint = Anypoint(connection)
        self.keys = Keys(self.anypoint, connection.mark)

    @classmethod
    def capabilities(cls, settings: Mapping[str, str]) -> Capabilities:
        """Make client ids and secrets of its own, and switch them off and on."""
        return Capabilities(
            takes_our_keys=False,
            suspends_keys=True,
            makes_client_credentials=True,
            notes=(
                "Anypoint makes client id and secret itself; customers send these as headers, not our key.",
                "On a cluster of Mule limits are shared by its nodes; elsewhere each replica counts for itself.",
                "A plan without limits gets a tier of a thousand million requests per second, as a tier needs a limit.",
                "Tiers are not approved by themselves: whoever asks for one in Exchange waits for your approval.",
            ),
        )

    @classmethod
    def supports(cls, limit: Limit, settings: Mapping[str, str]) -> Support:
        """Return how well a tier expresses the limit."""
        if limit.of.kind == "burst":
            return Support(level="unsupported", why=NO_BURST)
        return Support(level="approximate", why=THIRTY_DAYS) if limit.of.unit == "month" else EXACT

    @classmethod
    def check_settings(cls, settings: Mapping[str, str], base_url: str) -> None:
        """Refuse ids that are names, and versions that are none."""
        for name, what in (("organization_id", "an organization"), ("environment_id", "an environment")):
            try:
                UUID(settings.get(name, ""))
            except ValueError:
                raise ValueError(name, f"The id of {what} looks like 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0") from None
        if not POLICY_VERSION.match(settings.get("policy_version") or VERSION):
            raise ValueError("policy_version", f"A version looks like {VERSION}")

    @classmethod
    def check_ref(cls, ref: str) -> None:
        """Take what can be the id of an API instance."""
        if not INSTANCE.match(ref):
            raise ValueError("The id of an API instance is a number")

    def probe(self) -> Probe:
        """Read at most one API instance of the environment."""
        self.anypoint.any_instance()
        return Probe(version="v1", edition="Anypoint API Manager")

    def desired(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return the policy, which closes the API to all without a contract, then a tier for each plan."""
        tiers = [
            Resource(
                kind="tier",
                key=plan.ref,
                label=f"tier {plan.name} ({plan.slug})",
                fields=managed_fields(document, plan),
            )
            for plan in document.plans
        ]
        return [WANTED, *tiers]

    def fetch(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return the policy and our tiers for this product; those of plans that are gone too."""
        self.anypoint.instance(ref)
        policy = fetch_policy(self.anypoint, ref)
        return [*([policy] if policy else ()), *self._tiers(document, ref)]

    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Set the policy, or make, replace or delete a tier."""
        if change.resource.kind == "policy":
            # It is always wanted, so it is never deleted.
            apply_policy(self.anypoint, ref, change)
        elif change.wanted is None:
            self._delete_tier(change.resource, ref)
        else:
            self._write_tier(change, document, ref)

    def place_key(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """Bring application and contract there, on the tier of the plan."""
        name = tier_name(self.connection.mark, grant.plan)
        self.anypoint.instance(ref)
        tier = min((int(one["id"]) for one in self._all_tiers(ref) if one.get("name") == name), default=None)
        if tier is None:
            raise ObjectMissing("The plan is not at the gateway yet: restore the mapping first", status=404)
        return self.keys.place(grant, ref, tier=tier)

    def suspend_key(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """Revoke the contract, which can be restored."""
        self.keys.suspend(handle, ref)

    def remove_key(self, grant: KeyGrant, handle: Fields, ref: str, *, last: bool) -> None:
        """End the contract and delete the application; each key has its own, so the last one is like the others."""
        self.keys.remove(grant, handle, ref)

    def _tiers(self, document: DesiredDocument, ref: str) -> list[Resource]:
        """Return our tiers; where a lost answer made a plan's twice, the younger one is one that has to go."""
        tiers: list[Resource] = []
        known: set[str] = set()
        for tier in sorted(self._all_tiers(ref), key=lambda one: int(one["id"])):
            plan = plan_of(document, tier)
            if plan is None:
                continue
            key = f"{plan}/{tier['id']}" if plan in known else plan
            known.add(plan)
            label = f"tier {tier.get('name')} ({tier['id']})"
            tiers.append(
                Resource(kind="tier", key=key, label=label, fields=read_fields(tier), handle={"id": tier["id"]})
            )
        return tiers

    def _all_tiers(self, ref: str) -> list[dict[str, Any]]:
        return list(self.anypoint.rows(self.anypoint.of_instance(ref, "/tiers"), "tiers"))

    def _write_tier(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Make the tier, or replace the one there is, also where it has come to be there since it was looked for."""
        assert change.wanted is not None
        there = change.found or next(
            (one for one in self._tiers(document, ref) if one.key == change.resource.key), None
        )
        path, body = self.anypoint.of_instance(ref, "/tiers"), body_of(change.wanted.fields)
        if there is None:
            self.anypoint.post(path, body)
        else:
            self.anypoint.put(f"{path}/{there.handle['id']}", body)

    def _delete_tier(self, tier: Resource, ref: str) -> None:
        """
        Delete a tier that nobody is on.

        Raises:
            Conflict: contracts are.
        """
        contracts = self.anypoint.rows(self.anypoint.of_instance(ref, "/contracts"), "contracts")
        identity = tier.handle["id"]
        if any(identity in (one.get("tierId"), one.get("requestedTierId")) for one in contracts):
            raise Conflict(f"The {tier.label} has contracts at the gateway; remove their keys first")
        self.anypoint.delete(self.anypoint.of_instance(ref, f"/tiers/{identity}"))
