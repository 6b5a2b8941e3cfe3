"""Prices as JSON: a charge's properties, and what usage would cost on a plan, as question and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from config.api.fields import AmountField, JSONObjectField, TypeIDField
from config.api.serializers import StrictSerializer

MAX_EVENTS = 10_000


class PropertiesField(JSONObjectField):
    """The numbers of a price, exact: a number with a point stays a decimal until it is kept as a string."""

    def _kept(self, value: Any) -> Any:
        return value


class UnitsUsedSerializer(StrictSerializer):
    """
    Usage of one metric, with the dimensions that choose the charge: ``units``, or ``event_amounts``.

    A charge that prices each event (PERCENTAGE, DYNAMIC) needs the latter.
    """

    metric = TypeIDField("metr")
    units = AmountField(min_value=0, required=False)
    event_amounts = serializers.ListField(
        child=AmountField(min_value=0), max_length=MAX_EVENTS, required=False,
        help_text="What each event carries, in the order they happened.",
    )  # fmt: skip
    dimensions = serializers.DictField(child=serializers.CharField(max_length=255), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse usage that says neither or both."""
        if "units" not in attrs and "event_amounts" not in attrs:
            raise ValidationError({"units": ErrorDetail("Give units or event_amounts", code="required")})
        if "units" in attrs and "event_amounts" in attrs:
            raise ValidationError({"event_amounts": "Give either units or event_amounts"})
        return attrs


class UsageSerializer(StrictSerializer):
    """The usage to price."""

    usage = UnitsUsedSerializer(many=True, max_length=1000)  # type: ignore[call-arg]


class PricedTierSerializer(StrictSerializer):
    """
    What one tier adds: ``units`` of it, above ``above`` and up to ``up_to`` (null: without end).

    Where each event is priced, a tier is the events priced alike: ``events`` of them, with their flat amounts together.
    """

    above = AmountField()
    up_to = AmountField(allow_null=True)
    units = AmountField()
    unit_amount = AmountField()
    flat_amount = AmountField()
    package_size = AmountField(allow_null=True, help_text="Where given, unit_amount is per started package.")
    events = serializers.IntegerField(required=False, help_text="Only where each event is priced.")
    amount = AmountField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the tier, with its events only where they are priced one by one."""
        shown: dict[str, Any] = super().to_representation(instance)
        return {name: value for name, value in shown.items() if name != "events" or value is not None}


class PricedChargeSerializer(StrictSerializer):
    """What one charge comes to."""

    charge = serializers.CharField(source="charge.id")
    units = AmountField()
    amount = AmountField()
    tiers = PricedTierSerializer(many=True)


class TrueUpSerializer(StrictSerializer):
    """What is billed because a minimum is not reached: that of a charge, or the plan's minimum commitment."""

    charge = serializers.CharField(source="charge.id", allow_null=True)
    amount = AmountField()


class PriceSerializer(StrictSerializer):
    """
    What every charge of the plan comes to, unrounded, and what is billed for a whole period with this usage.

    ``period_total`` is ``base_fee`` with the usage, each charge rounded to the currency, less ``capped``, and with the
    ``true_ups``; these are rounded too, as on an invoice before coupons and taxes.
    """

    charges = PricedChargeSerializer(many=True)
    total = AmountField(source="amount", help_text="All charges together, unrounded, without the base fee.")
    base_fee = AmountField(source="settlement.base", help_text="Of one of the plan's own intervals.")
    true_ups = TrueUpSerializer(many=True)
    capped = AmountField(source="settlement.capped", help_text="What the maximum spend takes off the usage.")
    period_total = AmountField(source="total", help_text="What an invoice bills for a whole period with this usage.")
