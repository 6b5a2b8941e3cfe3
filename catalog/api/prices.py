"""What usage would cost on a plan: the question and the answer, as JSON."""

from __future__ import annotations

from rest_framework import serializers

from config.api.fields import AmountField, TypeIDField
from config.api.serializers import StrictSerializer


class UnitsUsedSerializer(StrictSerializer):
    """Units of one metric, with the dimensions that choose the charge."""

    metric = TypeIDField("metr")
    units = AmountField(min_value=0)
    dimensions = serializers.DictField(child=serializers.CharField(max_length=255), required=False)


class UsageSerializer(StrictSerializer):
    """The usage to price."""

    usage = UnitsUsedSerializer(many=True, max_length=1000)  # type: ignore[call-arg]


class PricedTierSerializer(StrictSerializer):
    """What one tier adds: ``units`` of it, above ``above`` and up to ``up_to`` (null: without end)."""

    above = AmountField()
    up_to = AmountField(allow_null=True)
    units = AmountField()
    unit_amount = AmountField()
    flat_amount = AmountField()
    package_size = AmountField(allow_null=True, help_text="Where given, unit_amount is per started package.")
    amount = AmountField()


class PricedChargeSerializer(StrictSerializer):
    """What one charge comes to."""

    charge = serializers.CharField()
    units = AmountField()
    amount = AmountField()
    tiers = PricedTierSerializer(many=True)


class PriceSerializer(StrictSerializer):
    """What every charge of the plan comes to, and all together, without the base fee."""

    charges = PricedChargeSerializer(many=True)
    total = AmountField()
