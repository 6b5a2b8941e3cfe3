"""What AWS API Gateway can do, and its usage plans held to our record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from catalog.gateways.aws import plans
from catalog.gateways.aws.client import AwsClient
from catalog.gateways.aws.keys import AwsKeys
from catalog.gateways.aws.regions import REGIONS, partition_of
from catalog.gateways.document import DesiredDocument
from catalog.gateways.failures import NotAllowed, ObjectMissing, Unsupported
from catalog.gateways.interface import (
    EXACT,
    Capabilities,
    Change,
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

REF = re.compile(r"[A-Za-z0-9]{1,40}/[A-Za-z0-9_-]{1,128}\Z", re.ASCII)
ROLE = re.compile(r"arn:(aws[a-z-]*):iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}\Z", re.ASCII)
#: AWS changes one usage plan every 20 seconds for an account, and nobody can have that raised.
UPDATE_EVERY_S = 20.0


class AwsAdapter(GatewayAdapter):
    """
    REST APIs (version 1) of one account and region.

    A rate plan at a stage is a usage plan with our tags: limits and access are one object, made in one call. The API
    itself, its routes and its documentation are never changed.
    """

    vendor: ClassVar[str] = "AWS_API_GATEWAY"
    label: ClassVar[str] = "AWS API Gateway"
    setting_fields: ClassVar[tuple[Field, ...]] = (
        Field(name="region", label="Region", help="Where the REST APIs are.", choices=REGIONS),
        Field(
            name="role_arn",
            label="Role",
            help="ARN of a role that the access key may take on, such as arn:aws:iam::123456789012:role/meterdesk. "
            "It needs apigateway:GET, POST, PATCH and DELETE on /usageplans* and /apikeys*, apigateway:PUT and GET "
            "on /tags/*, and apigateway:GET on /account and /restapis/*. Leave it empty to use the access key itself.",
            required=False,
        ),
        Field(
            name="external_id",
            label="External id",
            help="What the role's trust policy asks for as sts:ExternalId, if it does.",
            required=False,
        ),
    )
    credential_fields: ClassVar[tuple[Field, ...]] = (
        Field(name="access_key_id", label="Access key id", help="Of an IAM user; it begins with AKIA or ASIA."),
        Field(name="secret_access_key", label="Secret access key", help="Shown by AWS once, when the key was made."),
        Field(
            name="session_token",
            label="Session token",
            help="Only for temporary credentials, which begin with ASIA and run out within hours.",
            required=False,
            is_long=True,
        ),
    )
    ref_label: ClassVar[str] = "REST API and stage"
    ref_help: ClassVar[str] = (
        "Id of the REST API, a slash and the name of the stage: a1b2c3d4e5/prod. "
        "HTTP APIs (version 2) know no usage plans and cannot be used."
    )

    @classmethod
    def capabilities(cls, settings: Mapping[str, str]) -> Capabilities:
        """Return that keys of ours can be had and switched, and what AWS leaves to the API's owner."""
        return Capabilities(
            takes_our_keys=True,
            suspends_keys=True,
            notes=(
                "Only methods that require an API key are limited: set that on them and deploy the stage.",
                "Customers send their key in the header x-api-key.",
                "AWS calls limits of usage plans targets, which now and then are exceeded, and no means to save costs.",
                "AWS changes one usage plan of an account every 20 seconds, so restoring many plans takes minutes.",
            ),
        )

    @classmethod
    def supports(cls, limit: Limit, settings: Mapping[str, str]) -> Support:
        """Return how well a usage plan can enforce ``limit``; of several rates the lowest counts."""
        if limit.count > plans.MOST:
            return Support(level="unsupported", why=f"AWS takes numbers up to {plans.MOST} only.")
        if limit.of.kind == "rate" and limit.of.seconds > 1:
            each_second = plans.throttle_of([limit])
            assert each_second is not None
            return Support(
                level="approximate",
                why=f"AWS knows rates per second only: {each_second['rateLimit']} per second is sent, above a burst "
                f"of {limit.count}; of several rates the lowest.",
            )
        return EXACT

    @classmethod
    def check_settings(cls, settings: Mapping[str, str], base_url: str) -> None:
        """Refuse what is no role, or one of another cloud than the region, and an external id without a role."""
        role, region = settings.get("role_arn", ""), settings["region"]
        if settings.get("external_id") and not role:
            raise ValueError("external_id", "An external id is for a role, and there is none")
        if not role:
            return
        found = ROLE.match(role)
        if found is None:
            raise ValueError("role_arn", "A role looks like arn:aws:iam::123456789012:role/meterdesk")
        if found[1] != partition_of(region):
            raise ValueError("role_arn", f"A role for {region} begins with arn:{partition_of(region)}:iam")

    @classmethod
    def check_ref(cls, ref: str) -> None:
        """Refuse what is no REST API with a stage."""
        if not REF.match(ref):
            raise ValueError("Expected is the id of a REST API, a slash and a stage, such as a1b2c3d4e5/prod")

    @cached_property
    def client(self) -> AwsClient:
        """Calls with the connection's credentials."""
        return AwsClient(self.connection)

    @cached_property
    def keys(self) -> AwsKeys:
        """The API keys."""
        return AwsKeys(self.client, self.scope)

    @property
    def scope(self) -> str:
        """Whose budget of calls it is: an account's in a region, as far as credentials tell the account."""
        settings = self.connection.settings
        who = settings.get("role_arn", "").rpartition(":role/")[0] or self.connection.credentials["access_key_id"]
        return f"aws {settings['region']} {who}"[:200]

    def probe(self) -> Probe:
        """Read the account's settings, and one usage plan and key, which takes the permissions of every job."""
        self.client.call("get_account")
        for operation in ("get_usage_plans", "get_api_keys"):
            try:
                self.client.call(operation, limit=1)
            except NotAllowed as failure:
                what = operation.removeprefix("get_").replace("_", " ")
                raise NotAllowed(f"It may not read {what}: {failure}", status=failure.status) from failure
        return Probe(edition=f"API Gateway, REST APIs in {self.connection.settings['region']}")

    def desired(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return a usage plan for every rate plan."""
        return [plans.desired_plan(plan, document, ref) for plan in document.plans]

    def fetch(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return our usage plans for this product and stage."""
        api, _, stage = ref.partition("/")
        try:
            self.client.call("get_stage", restApiId=api, stageName=stage)
        except ObjectMissing as failure:
            raise ObjectMissing(
                f"There is no stage {stage} of a REST API {api} in {self.connection.settings['region']}. {failure}",
                status=failure.status,
                request_id=failure.request_id,
            ) from failure
        return list(self._ours(document, ref))

    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Make, patch or delete one usage plan, as it is found now."""
        found = next((one for one in self._ours(document, ref) if one.key == change.resource.key), None)
        if change.wanted is None:
            if found is not None:
                self._delete(found, document, ref)
        elif found is None:
            tags = plans.tags_of(document.mark, document.product, change.wanted.key, ref)
            self.client.call("create_usage_plan", **plans.creation(change.wanted, tags))
        else:
            self._update(found, plans.patch(change.wanted.fields, found.fields))

    def place_key(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """Bring an API key into the usage plan of the grant."""
        if grant.is_client:
            raise Unsupported("AWS API Gateway has API keys only, no client ids with secrets")
        if not grant.plan:
            raise Unsupported("An API key lets in by a usage plan only, and there is no subscription to a rate plan")
        return self.keys.place(grant, ref, product)

    def suspend_key(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """Disable the API key."""
        self.keys.suspend(grant, handle)

    def remove_key(self, grant: KeyGrant, handle: Fields, ref: str, *, last: bool) -> None:
        """Delete the API key; a consumer besides does not exist."""
        self.keys.remove(grant, handle)

    def _ours(self, document: DesiredDocument, ref: str) -> Iterator[Resource]:
        """
        Yield our usage plans, in the order of their ids.

        Names are not unique at AWS, and an answer can be lost, so a rate plan may have two: the second is a resource
        that nobody wants.
        """
        wanted = plans.tags_of(document.mark, document.product, "", ref)
        plan_tag = f"{document.mark}:plan"
        del wanted[plan_tag]
        labels = {plan.ref: plan.name for plan in document.plans}
        seen: set[str] = set()
        for found in sorted(self.client.pages("get_usage_plans"), key=lambda one: str(one["id"])):
            tags = found.get("tags") or {}
            plan = tags.get(plan_tag)
            if not plan or not tags.items() >= wanted.items():
                continue
            label = labels.get(plan) or str(found.get("name"))
            if plan in seen:
                yield plans.live_plan(found, key=f"{plan} {found['id']}", label=f"{label} (double)")
            else:
                seen.add(plan)
                yield plans.live_plan(found, key=plan, label=label)

    def _update(self, found: Resource, operations: Sequence[Mapping[str, str]]) -> None:
        """Patch a usage plan with one call, of which there are few."""
        if operations:
            self.connection.pace(self.scope, "usage_plan_update", UPDATE_EVERY_S)
            self.client.call("update_usage_plan", usagePlanId=found.handle["id"], patchOperations=list(operations))

    def _delete(self, found: Resource, document: DesiredDocument, ref: str) -> None:
        """Delete a usage plan without keys and stages; the keys of a double move to the one that stays."""
        plan_id = found.handle["id"]
        kept = next((one for one in self._ours(document, ref) if one.key == found.key.partition(" ")[0]), found)
        for key in self.client.pages("get_usage_plan_keys", usagePlanId=plan_id):
            self.keys.take_out(plan_id, key["id"])
            if kept.handle["id"] != plan_id:
                self.keys.put_in(kept.handle["id"], key["id"])
        self._update(found, plans.detachment(found.fields))
        try:
            self.client.call("delete_usage_plan", usagePlanId=plan_id)
        except ObjectMissing:
            return
