"""Coupons, as JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Coupon, CouponFrequency, CouponKind, CouponStatus
from catalog.models.coupon import MAX_PERIODS, CouponQuerySet
from catalog.models.product import validate_code
from catalog.models.tax import HUNDRED_PERCENT
from catalog.operations.coupons import CouponValue, create_coupon, delete_coupon, terminate_coupon, update_coupon
from config.api.deletion import DeletionReportSerializer
from config.api.fields import AmountField, AwareDateTimeField, CurrencyField, EnumField, ReferenceField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report

#: How many plans or metrics a coupon can be limited to.
MAX_LIMITS = 100

#: The fields of a body that are the coupon's value.
VALUE_FIELDS = frozenset(one.name for one in fields(CouponValue))


class CouponSerializer(StrictModelSerializer):
    """A coupon; limited to ``plans`` or to ``metrics``, and taken off every line where both are empty."""

    plans = ReferenceField(prefix="plan", many=True, read_only=True)
    metrics = ReferenceField(prefix="metr", many=True, read_only=True)
    status = serializers.SerializerMethodField()

    class Meta:
        model = Coupon
        fields = [
            "id", "code", "name", "description", "kind", "amount", "currency", "rate_percent", "frequency", "periods",
            "is_reusable", "plans", "metrics", "status", "expires_at", "terminated_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EnumField(choices=CouponStatus.choices))
    def get_status(self, coupon: Coupon) -> str:
        """Return the status now."""
        return coupon.status(timezone.now()).value


class CouponChangesSerializer(StrictSerializer):
    """What of a coupon can change; its value is fixed."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, required=False)
    expires_at = AwareDateTimeField(
        required=False, allow_null=True, is_future=True,
        help_text="From when on it cannot be applied any more; where it was applied it goes on.",
    )  # fmt: skip


class NewCouponSerializer(CouponChangesSerializer):
    """What makes a coupon."""

    code = serializers.CharField(max_length=100, validators=[validate_code])
    kind = EnumField(choices=CouponKind.choices)
    amount = AmountField(positive=True, required=False, allow_null=True, help_text="Of a fixed_amount.")
    currency = CurrencyField(required=False, allow_null=True, help_text="Of a fixed_amount.")
    rate_percent = AmountField(
        positive=True, max_value=HUNDRED_PERCENT, required=False, allow_null=True, help_text="Of a percentage."
    )
    frequency = EnumField(choices=CouponFrequency.choices, default=CouponFrequency.ONCE.value)
    periods = serializers.IntegerField(
        min_value=1, max_value=MAX_PERIODS, required=False, allow_null=True,
        help_text="Of a recurring one: how many invoices in a row it is taken off.",
    )  # fmt: skip
    is_reusable = serializers.BooleanField(default=True, help_text="Whether a customer may have it more than once.")
    plans = serializers.ListField(
        child=TypeIDField("plan"), max_length=MAX_LIMITS, required=False,
        help_text="The rate plans whose lines it is taken off; not together with metrics.",
    )  # fmt: skip
    metrics = serializers.ListField(
        child=TypeIDField("metr"), max_length=MAX_LIMITS, required=False,
        help_text="The metrics whose lines it is taken off; not together with plans.",
    )  # fmt: skip


class CouponFilter(StrictFilterSet):
    """Which coupons; ``plan`` and ``metric`` find those that are limited to it."""

    code = CharFilter()
    kind = ChoiceFilter(choices=CouponKind.choices)
    frequency = ChoiceFilter(choices=CouponFrequency.choices)
    currency = CharFilter()
    plan = TypeIDFilter(prefix="plan", field_name="plans")
    metric = TypeIDFilter(prefix="metr", field_name="metrics")
    status = ChoiceFilter(choices=CouponStatus.choices, method="with_status")

    def with_status(self, coupons: CouponQuerySet, name: str, value: str) -> CouponQuerySet:
        """Keep those with the status now."""
        return coupons.with_status(value, timezone.now())


class CouponViewSet(Listed, Retrieved, ApiViewSet):
    """Coupons."""

    queryset = Coupon.objects.prefetch_related("plans", "metrics")
    serializer_class = CouponSerializer
    filterset_class = CouponFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": NewCouponSerializer, "partial_update": CouponChangesSerializer}
    answers = {"destroy": DeletedSerializer, "deletion_check": DeletionReportSerializer}

    def create(self, request: Request) -> Response:
        """
        Create a coupon.

        A fixed_amount has `amount` and `currency`, a percentage has `rate_percent`, a recurring one has `periods`.
        """
        body = self.body()
        value: dict[str, Any] = {name: body.pop(name) for name in VALUE_FIELDS & body.keys()}
        return self.created(create_coupon(CouponValue(**value), **body, now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Describe a coupon anew, or let it expire at another time; its value is fixed."""
        return self.answer(update_coupon(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a coupon, unless something stands in the way."""
        coupon, now = self.get_object(), timezone.now()
        delete_coupon(coupon.id)
        return self.answer({"id": coupon.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["post"])
    def terminate(self, request: Request, pk: str) -> Response:
        """Let nobody have a coupon any more, for good; where it was applied it goes on."""
        return self.answer(terminate_coupon(self.get_object().id, now=timezone.now()))

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a coupon."""
        return self.answer(deletion_report(self.get_object()).document())
