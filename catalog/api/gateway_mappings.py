"""Mappings of products to gateways, as JSON: linked, checked, restored."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.gateways import LimitSupportSerializer, limit_support
from catalog.models import DriftReason, GatewayMapping, SyncStatus, Vendor
from catalog.operations.gateway_mappings import (
    create_gateway_mapping,
    delete_gateway_mapping,
    request_check,
    request_restore,
    update_gateway_mapping,
)
from catalog.queries.supported_limits import imperfect_limits_of
from config.api.deletion import ConfirmationQuery, DeletionReportSerializer
from config.api.fields import EnumField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report

#: The reasons there are, without the word for none.
REASONS = [(reason.value, reason.label) for reason in DriftReason if reason]


class DifferenceSerializer(StrictSerializer):
    """
    Something that differs: ``record`` is what we say, ``gateway`` what is there, null where one side has none.

    Without a ``field`` the whole object is missing on one side.
    """

    kind = serializers.CharField()
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    field = serializers.CharField()
    record = serializers.JSONField(allow_null=True)
    gateway = serializers.JSONField(allow_null=True)


class ProgressSerializer(StrictSerializer):
    """How far a restore has come: ``done`` of the steps, and the one that was begun or failed."""

    done = serializers.IntegerField()
    of = serializers.IntegerField()
    step = serializers.CharField()

    def get_attribute(self, instance: GatewayMapping) -> dict[str, Any] | None:
        """Return None where no restore has begun."""
        return instance.progress or None


class GatewayMappingSerializer(StrictModelSerializer):
    """
    A mapping with what is known of both sides.

    PENDING: a worker has been asked, and what else is said is of the last time. SYNCED: the gateway has what our record
    says. STALE: it has not, see ``drift``. ERROR: there is no knowing, see ``last_error``; where ``next_try_at`` is
    given, it is tried again then.
    """

    sync_status = EnumField(choices=SyncStatus.choices, source="status", read_only=True)
    drift = DifferenceSerializer(many=True, read_only=True)
    drift_reason = EnumField(choices=REASONS, read_only=True, allow_null=True)
    progress = ProgressSerializer(read_only=True, allow_null=True)
    last_error = serializers.CharField(read_only=True, allow_null=True)
    last_error_code = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = GatewayMapping
        fields = [
            "id", "product", "gateway", "external_ref", "accepts_approximations", "sync_status", "drift",
            "drift_reason", "last_synced_at", "last_checked_at", "last_error", "last_error_code", "next_try_at",
            "progress", "requested_at", "restore_requested_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: GatewayMapping) -> dict[str, Any]:
        """Return null for what there is none of."""
        shown: dict[str, Any] = super().to_representation(instance)
        return {**shown, **{name: shown[name] or None for name in ("drift_reason", "last_error", "last_error_code")}}


class GatewayMappingChangesSerializer(StrictSerializer):
    """What of a mapping can change."""

    external_ref = serializers.CharField(
        max_length=300, help_text="What the product is at the gateway; each vendor has its own form."
    )
    accepts_approximations = serializers.BooleanField(
        required=False, help_text="Whether limits are sent that the gateway can only approximate."
    )


class NewGatewayMappingSerializer(GatewayMappingChangesSerializer):
    """What links a product to a gateway."""

    product = TypeIDField("prod")
    gateway = TypeIDField("gate")


class ImperfectLimitSerializer(LimitSupportSerializer):
    """A limit of a plan that the gateway cannot enforce exactly."""

    plan = TypeIDField("plan")
    plan_name = serializers.CharField()
    count = serializers.IntegerField()


class ImperfectLimitsSerializer(StrictSerializer):
    """The limits that the gateway cannot enforce exactly; none where all are."""

    limits = ImperfectLimitSerializer(many=True)


class GatewayMappingFilter(StrictFilterSet):
    """Which mappings."""

    product = TypeIDFilter(prefix="prod")
    gateway = TypeIDFilter(prefix="gate")
    vendor = ChoiceFilter(choices=Vendor.choices, field_name="gateway__vendor")
    sync_status = ChoiceFilter(choices=SyncStatus.choices, method="in_status")

    def in_status(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep those that show the status."""
        found: QuerySet[Any] = queryset.in_status(value)  # type: ignore[attr-defined]
        return found


class GatewayMappingViewSet(Listed, Retrieved, ApiViewSet):
    """Mappings of products to gateways."""

    queryset = GatewayMapping.objects.all()
    serializer_class = GatewayMappingSerializer
    filterset_class = GatewayMappingFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": NewGatewayMappingSerializer, "partial_update": GatewayMappingChangesSerializer}
    queries = {"destroy": ConfirmationQuery}
    answers = {
        "destroy": DeletedSerializer,
        "deletion_check": DeletionReportSerializer,
        "limits": ImperfectLimitsSerializer,
    }

    def create(self, request: Request) -> Response:
        """Link a product to an object at a gateway, and ask for a first check; nothing is changed there."""
        return self.created(create_gateway_mapping(**self.body(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a mapping, and ask for a check."""
        return self.answer(update_gateway_mapping(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Unlink a product; what is at the gateway stays there."""
        mapping, now = self.get_object(), timezone.now()
        delete_gateway_mapping(mapping.id, confirm=self.query()["confirm"])
        return self.answer({"id": mapping.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of unlinking a product."""
        return self.answer(deletion_report(self.get_object()).document())

    @extend_schema(responses={202: GatewayMappingSerializer})
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Ask for the gateway to be compared with our record."""
        return self.answer(request_check(self.get_object().id, now=timezone.now()), status=202)

    @extend_schema(responses={202: GatewayMappingSerializer})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Ask for our record to be pushed to the gateway, and for a look that confirms it."""
        return self.answer(request_restore(self.get_object().id, now=timezone.now()), status=202)

    @action(detail=True, methods=["get"])
    def limits(self, request: Request, pk: str) -> Response:
        """Say which limits of the product's plans the gateway cannot enforce exactly, and why."""
        mapping = GatewayMapping.objects.select_related("product", "gateway").find(pk)
        judged = [
            {**limit_support(one), "plan": one.plan.ref, "plan_name": one.plan.name, "count": one.limit.count}
            for one in imperfect_limits_of(mapping)
            if one.plan is not None
        ]
        return self.answer({"limits": judged})
