"""Rate plans with their charges, as JSON."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.plan_terms import TERMS, PlanLimitsSerializer, PlanTermsSerializer
from catalog.api.prices import PriceSerializer, PropertiesField, UsageSerializer
from catalog.api.taxes import taxes_of, taxes_wanted
from catalog.models import Charge, ChargeModel, Interval, PlanStatus, RatePlan
from catalog.models.product import validate_code
from catalog.operations.plan_deletion import delete_rate_plan
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.rate_plans import (
    ChargeSpec,
    activate_rate_plan,
    archive_rate_plan,
    create_rate_plan,
    update_rate_plan,
)
from catalog.operations.taxes import set_plan_taxes
from catalog.queries.prices import UnitsUsed, price_of_usage
from config.api.deletion import ConfirmationQuery, DeletionReportSerializer
from config.api.fields import AmountField, CurrencyField, EnumField, JSONObjectField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report

MAX_CHARGES = 200

PROPERTIES = """Numbers as decimal strings or JSON numbers; they are kept as strings. By model:

- STANDARD: `unit_amount`
- GRADUATED, VOLUME: `tiers`, each with `up_to` (ascending, null in the last), `unit_amount`, and perhaps `flat_amount`
  and `package_size`
- PACKAGE: `package_size`, `amount`, and perhaps `free_units`
- PERCENTAGE: `rate_percent`, and perhaps `fixed_amount`, `free_events`, `free_amount`, `minimum_per_event` and
  `maximum_per_event`; the metric is a SUM
- GRADUATED_PERCENTAGE: `tiers`, each with `up_to`, `rate_percent`, and perhaps `flat_amount`
- DYNAMIC: `property`, which each event carries its amount as, and perhaps `multiplier`
"""


class MatchField(serializers.DictField):
    """The values each dimension may have: ``{"model": ["gpt-4o"]}``."""

    child = serializers.ListField(child=serializers.CharField(max_length=255), max_length=1000)


class ChargeSerializer(StrictModelSerializer):
    """A charge."""

    properties = JSONObjectField(read_only=True)
    match = MatchField(read_only=True)

    class Meta:
        model = Charge
        fields = ["id", "metric", "name", "model", "properties", "match", "minimum_amount", "prorated"]
        read_only_fields = fields


class NewChargeSerializer(StrictSerializer):
    """What makes a charge; the shape of ``properties`` goes by the model."""

    metric = TypeIDField("metr")
    model = EnumField(choices=ChargeModel.choices)
    properties = PropertiesField(help_text=PROPERTIES)
    match = MatchField(required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    minimum_amount = AmountField(
        min_value=0, required=False,
        help_text="What the charge comes to at least in a period; in a part of a period by its days.",
    )  # fmt: skip
    prorated = serializers.BooleanField(
        required=False, help_text="Whether a unit counts for the part of the period it was held."
    )


class RatePlanSerializer(StrictModelSerializer):
    """A rate plan with its charges."""

    limits = PlanLimitsSerializer(read_only=True)
    taxes = taxes_of()
    charges = ChargeSerializer(many=True, read_only=True)

    class Meta:
        model = RatePlan
        fields = [
            "id", "product", "code", "name", "version", "status", "interval", "amount", "currency", *TERMS, "taxes",
            "charges", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class RatePlanChangesSerializer(PlanTermsSerializer):
    """
    What of a draft can change, and of any plan ``taxes``.

    ``charges``, ``limits`` and ``taxes``, when given, replace all it had.
    """

    code = serializers.CharField(max_length=100, validators=[validate_code])
    name = serializers.CharField(max_length=200)
    interval = EnumField(choices=Interval.choices, required=False)
    amount = AmountField(min_value=0, required=False)
    currency = CurrencyField(required=False)
    taxes = taxes_wanted()
    charges = NewChargeSerializer(many=True, required=False, max_length=MAX_CHARGES)  # type: ignore[call-arg]


class NewRatePlanSerializer(RatePlanChangesSerializer):
    """What drafts a rate plan."""

    product = TypeIDField("prod")
    interval = EnumField(choices=Interval.choices, default=Interval.MONTH.value)
    amount = AmountField(min_value=0, default=0)
    currency = CurrencyField(default="USD")


class RatePlanCloneSerializer(StrictSerializer):
    """What the copy is called; without anything it is the plan's next version."""

    name = serializers.CharField(max_length=200, required=False, help_text="The plan's own where none is given.")
    code = serializers.CharField(
        max_length=100, validators=[validate_code], required=False,
        help_text="With another code than the plan's the copy is another plan, in version 1.",
    )  # fmt: skip


class RatePlanFilter(StrictFilterSet):
    """Which rate plans."""

    product = TypeIDFilter(prefix="prod")
    status = ChoiceFilter(choices=PlanStatus.choices)


class RatePlanViewSet(Listed, Retrieved, ApiViewSet):
    """Rate plans."""

    queryset = RatePlan.objects.prefetch_related(
        Prefetch("charges", queryset=Charge.objects.order_by("position")), "taxes"
    )
    serializer_class = RatePlanSerializer
    filterset_class = RatePlanFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    # It is a POST for its body; it writes nothing.
    scopes = {"price": "catalog:read"}
    bodies = {
        "create": NewRatePlanSerializer,
        "partial_update": RatePlanChangesSerializer,
        "price": UsageSerializer,
        "clone": RatePlanCloneSerializer,
    }
    queries = {"destroy": ConfirmationQuery}
    answers = {
        "price": PriceSerializer,
        "destroy": DeletedSerializer,
        "deletion_check": DeletionReportSerializer,
    }

    def create(self, request: Request) -> Response:
        """Draft a rate plan with its charges."""
        return self.created(create_rate_plan(**_with_specs(self.body()), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a draft, or the taxes alone of any plan."""
        body = self.body()
        change = set_plan_taxes if set(body) == {"taxes"} else update_rate_plan
        plan = change(self.get_object().id, **_with_specs(body), now=timezone.now())
        return self.answer(self.get_queryset().get(pk=plan.id))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a rate plan that nobody has ever subscribed to."""
        plan, now = self.get_object(), timezone.now()
        delete_rate_plan(plan.id, confirm=self.query()["confirm"])
        return self.answer({"id": plan.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a rate plan."""
        return self.answer(deletion_report(self.get_object()).document())

    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        """Freeze a draft's prices and open it to subscriptions."""
        return self.answer(activate_rate_plan(self.get_object().id, now=timezone.now()))

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Close an active plan to new subscriptions; those it has go on."""
        return self.answer(archive_rate_plan(self.get_object().id, now=timezone.now()))

    @extend_schema(responses={201: RatePlanSerializer})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        """
        Draft the next version of a rate plan, with the same terms and charges.

        The prices of an active plan are frozen: other prices are those of a new version, which new subscriptions and
        changes of plan then take. Whoever is on an older version stays there until their plan is changed.
        """
        clone = clone_rate_plan(self.get_object().id, **self.body(), now=timezone.now())
        return self.created(clone, location=f"/v1/rate-plans/{clone.id}")

    @action(detail=True, methods=["post"])
    def price(self, request: Request, pk: str) -> Response:
        """Say what usage would cost on this plan, charge by charge, unrounded; nothing is written."""
        used = [UnitsUsed(**usage) for usage in self.body()["usage"]]
        return self.answer(price_of_usage(self.get_object(), used))


def _with_specs(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with its charges as the operations take them."""
    if "charges" in body:
        body = {**body, "charges": [ChargeSpec(**charge) for charge in body["charges"]]}
    return body
