"""What the pages and actions of subscriptions ask for."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from config.kernel.admin import ActionForm, RecordForm
from customers.admin.forms import (
    BILL_FROM_HELP,
    BILLING_TIME_HELP,
    ENDS_AT_HELP,
    EXTERNAL_ID_HELP,
    STARTS_AT_HELP,
    PlanChoice,
)
from customers.models import Subscription

CHANGE_PLAN_HELP = (
    "A plan that costs as much or more in a year begins now: the old one is billed at once, and today already belongs "
    "to the new one. A cheaper plan begins when the running period ends."
)


class SubscriptionForm(RecordForm):
    """A new subscription, or what of one can change."""

    plan = PlanChoice(help_text="Active plans whose product is in BETA or GA; the currency must be the customer's.")
    starts_at = forms.DateTimeField(required=False, help_text=STARTS_AT_HELP)

    class Meta:
        model = Subscription
        fields = ("customer", "plan", "starts_at", "ends_at", "bill_from", "billing_time", "name", "external_id")
        help_texts: ClassVar = {
            "ends_at": ENDS_AT_HELP,
            "bill_from": BILL_FROM_HELP,
            "billing_time": BILLING_TIME_HELP,
            "name": "The plan's name where left empty.",
            "external_id": EXTERNAL_ID_HELP,
        }


class TerminationForm(ActionForm):
    """Asks when a subscription ends."""

    at = forms.DateTimeField(
        label="Ends at", required=False, help_text="In UTC and in the future; empty to end it now."
    )


class PlanChangeForm(ActionForm):
    """Asks what plan a subscription changes to."""

    plan = PlanChoice(help_text=CHANGE_PLAN_HELP)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans: Any = self.fields["plan"]
        for subscription in self.objects:
            plans.queryset = plans.queryset.filter(currency=subscription.customer.currency).exclude(
                pk=subscription.plan_id
            )
        plans.say_where_there_is_none()
