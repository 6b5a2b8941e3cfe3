"""Assumed usage and what it would cost, as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.charges import DimensionsField
from catalog.models import Metric
from catalog.queries.quotes import AssumedUsage
from config.api.fields import AmountField, ReferenceField
from config.api.serializers import StrictSerializer

MAX_ROWS = 1000


class UsageRowSerializer(StrictSerializer):
    """Units of one metric."""

    metric = ReferenceField(Metric.objects.all())
    units = AmountField(min_value=0)
    dimensions = DimensionsField(default=dict)

    def to_internal_value(self, data: Any) -> AssumedUsage:
        """Return the usage as the price list takes it."""
        values = super().to_internal_value(data)
        return AssumedUsage(**{**values, "metric": values["metric"].id})


class UsageSerializer(StrictSerializer):
    """The usage to price."""

    usage = UsageRowSerializer(many=True, max_length=MAX_ROWS)


class TierSerializer(StrictSerializer):
    """What one tier contributes; it spans the units above ``above`` up to and including ``up_to``."""

    above = AmountField()
    up_to = AmountField(allow_null=True)
    units = AmountField()
    unit_amount = AmountField()
    flat_amount = AmountField()
    amount = AmountField()
    package_size = AmountField(allow_null=True, help_text="Where there is one, unit_amount is for so many units.")


class QuotedChargeSerializer(StrictSerializer):
    """What the units that belong to one charge cost."""

    charge = serializers.CharField(source="charge.id")
    units = AmountField()
    amount = AmountField(source="rating.amount")
    tiers = TierSerializer(many=True, source="rating.tiers")


class QuoteSerializer(StrictSerializer):
    """The charges of the plan, and the sum of their amounts."""

    charges = QuotedChargeSerializer(many=True)
    total = AmountField()
