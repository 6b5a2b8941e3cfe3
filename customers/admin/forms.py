"""What the customers' pages and actions ask for."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django import forms

from catalog.models import PlanStatus, RatePlan
from catalog.models.product import SUBSCRIBABLE_STAGES
from config.kernel.admin import (
    ActionForm,
    RecordForm,
)
from config.kernel.money import display_money
from customers.admin.metadata import MetadataField
from customers.models import BillingTime, Customer, Subscription

STARTS_AT_HELP = "In UTC; empty for now. A start in the past bills the periods since then, one in the future waits."
EXTERNAL_ID_HELP = "What your own systems call it."
BILLING_TIME_HELP = "Where billing periods begin, on the customer's own calendar."


def zone_choices() -> list[tuple[str, str]]:
    """Return every IANA time zone."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


class CustomerForm(RecordForm):
    """A customer as an operator describes it."""

    timezone = forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        initial="UTC",
        help_text="Days, months and billing periods are those of this zone.",
    )
    metadata = MetadataField(help_text="Anything your own systems want to find again, a line each: region = EMEA")
    with_key = forms.BooleanField(
        label="Issue a customer key",
        required=False,
        help_text="A key for the customer as a whole, shown once on the next page.",
    )

    class Meta:
        model = Customer
        fields = (
            "name", "email", "external_id", "tier", "currency", "timezone", "legal_name", "billing_email",
            "net_payment_term_days", "invoice_grace_days", "metadata",
        )  # fmt: skip
        help_texts: ClassVar = {
            "email": "Must be unique among customers.",
            "external_id": "What your own systems (a CRM, for example) call this customer. Optional, must be unique.",
            "tier": "The service level.",
            "currency": "The ISO 4217 code, for example EUR. It cannot change once something is assigned.",
            "legal_name": "The name on invoices, where it is another one.",
            "billing_email": "Where invoices go; the e-mail above where left empty.",
            "net_payment_term_days": "How many days after its issue an invoice is due.",
            "invoice_grace_days": "How many days an invoice stays a draft, so that late usage still gets onto it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "metadata" in self.fields:
            self.fields["metadata"].stored = self.instance.metadata  # type: ignore[attr-defined]


class SuspensionForm(ActionForm):
    """Asks for the end of a suspension."""

    until = forms.DateTimeField(
        required=False, help_text="In UTC. Access comes back by itself then; empty to suspend until reactivated."
    )


class PlanChoice(forms.ModelChoiceField[RatePlan]):
    """An active plan of a product that takes subscriptions, named with its price."""

    def __init__(self, **options: Any) -> None:
        plans = RatePlan.objects.filter(status=PlanStatus.ACTIVE, product__maturity_stage__in=SUBSCRIBABLE_STAGES)
        super().__init__(
            queryset=plans.select_related("product").order_by("product__name", "name"),
            empty_label="Select a plan",
            **options,
        )

    def label_from_instance(self, obj: Any) -> str:
        """Name product, plan and price."""
        return f"{obj.product}: {obj}, {display_money(obj.amount, obj.currency)} a {obj.get_interval_display().lower()}"


class AssignPlanForm(ActionForm):
    """Asks what one customer subscribes to."""

    plan = PlanChoice(help_text="Active plans in the customer's currency whose product is in BETA or GA.")
    starts_at = forms.DateTimeField(label="Starts at", required=False, help_text=STARTS_AT_HELP)
    billing_time = forms.ChoiceField(
        choices=BillingTime.choices, initial=BillingTime.CALENDAR, help_text=BILLING_TIME_HELP
    )
    name = forms.CharField(max_length=200, required=False, help_text="The plan's name where left empty.")
    external_id = forms.CharField(
        label="External id", max_length=255, required=False, empty_value=None, help_text=EXTERNAL_ID_HELP
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans: Any = self.fields["plan"]
        plans.queryset = plans.queryset.filter(currency__in={customer.currency for customer in self.objects})


class SubscriptionForm(RecordForm):
    """A new subscription."""

    plan = PlanChoice(help_text="Active plans whose product is in BETA or GA; the currency must be the customer's.")
    starts_at = forms.DateTimeField(required=False, help_text=STARTS_AT_HELP)

    class Meta:
        model = Subscription
        fields = ("customer", "plan", "starts_at", "billing_time", "name", "external_id")
        help_texts: ClassVar = {
            "billing_time": BILLING_TIME_HELP,
            "name": "The plan's name where left empty.",
            "external_id": EXTERNAL_ID_HELP,
        }
