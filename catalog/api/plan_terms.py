"""The terms of a rate plan besides its prices, as JSON: trial, minimum, maximum and limits."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.limits import MOST_REQUESTS
from catalog.models import RatePlan
from catalog.models.rate_plan import MAX_TRIAL_DAYS
from config.api.fields import AmountField
from config.api.serializers import StrictSerializer

#: What an answer says of a plan besides its prices.
TERMS = ["pay_in_advance", "trial_days", "minimum_commitment", "maximum_spend", "limits"]


def _limit(what: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=1, max_value=MOST_REQUESTS, required=False, allow_null=True, help_text=what
    )


class PlanLimitsSerializer(StrictSerializer):
    """How many requests a subscription may make; what is left out, or null, has no limit."""

    rate_per_second = _limit("Requests per second.")
    rate_per_minute = _limit("Requests per minute.")
    rate_per_hour = _limit("Requests per hour.")
    burst = _limit("Requests at once by which a rate may be exceeded for a moment.")
    quota_per_day = _limit("Requests per day.")
    quota_per_week = _limit("Requests per week.")
    quota_per_month = _limit("Requests per month.")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the limits there are."""
        return {name: count for name, count in super().to_representation(instance).items() if count is not None}


class PlanTermsSerializer(StrictSerializer):
    """The terms of a draft; ``limits``, when given, replace all it had."""

    pay_in_advance = serializers.BooleanField(
        required=False, help_text=RatePlan._meta.get_field("pay_in_advance").help_text
    )
    trial_days = serializers.IntegerField(
        min_value=0, max_value=MAX_TRIAL_DAYS, required=False,
        help_text="For so many days from its start a subscription costs nothing but its usage.",
    )  # fmt: skip
    minimum_commitment = AmountField(
        min_value=0, required=False, allow_null=True,
        help_text="What a period comes to at least, base fee and usage together; a part of a period by its days.",
    )  # fmt: skip
    maximum_spend = AmountField(
        positive=True, required=False, allow_null=True,
        help_text="What a period, also a part of one, comes to at most; not below base fee and minimum commitment.",
    )  # fmt: skip
    limits = PlanLimitsSerializer(required=False)
