"""What the customers' pages and actions ask for."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django import forms

from catalog.models import PlanStatus, RatePlan
from catalog.models.product import SUBSCRIBABLE_STAGES
from config.kernel.admin import ActionForm, MetadataField, RecordForm
from config.kernel.countries import countries
from config.kernel.money import display_money
from customers.models import TIER_LIMITS, BillingTime, Customer, Tier

STARTS_AT_HELP = "In UTC; empty for now. A start in the past bills the periods since then, one in the future waits."
ENDS_AT_HELP = "In UTC; empty for a subscription that goes on until somebody ends it."
BILL_FROM_HELP = "In UTC; empty to bill from the start. Usage before this is recorded and not billed."
EXTERNAL_ID_HELP = "What your own systems call it."
BILLING_TIME_HELP = "Where billing periods begin, on the customer's own calendar."


def zone_choices() -> list[tuple[str, str]]:
    """Return every IANA time zone."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


def country_choices() -> list[tuple[str, str]]:
    """Return every country by its code, and none."""
    return [("", "None"), *countries().items()]


def tier_limits_help(limit: str) -> str:
    """Say what each tier allows where a customer has no limit of its own; ``limit`` is the name of the field."""
    usual = ", ".join(f"{tier.label} {getattr(TIER_LIMITS[tier], limit):,}" for tier in Tier)
    return f"Empty for the tier's: {usual}."


class DomainsField(forms.CharField):
    """Domain names in, a list out; spaces, commas and new lines part them."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """Return a list as lines, and an operator's own input as it is."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        """Return the names; whether they are domain names is for the operation to say."""
        return str(super().clean(value)).replace(",", " ").split()

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare names, not texts."""
        return self.clean(data) != [*(initial or [])]


class CustomerForm(RecordForm):
    """A customer as an operator describes it."""

    timezone = forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        initial="UTC",
        help_text="Days, months and billing periods are those of this zone.",
    )
    address_country = forms.ChoiceField(label="Country", choices=country_choices, required=False)
    associated_domains = DomainsField(
        required=False,
        help_text="E-mail domains, one a line or parted by commas: acme.com. A subscriber with such an address "
        "probably belongs to this customer.",
    )
    storefront_url = forms.URLField(
        label="Storefront URL", max_length=500, required=False, assume_scheme="https",
        help_text="The customer's own shop or portal, where there is one.",
    )  # fmt: skip
    metadata = MetadataField(
        help_text="Anything your own systems want to find again. Empty both boxes of a row to remove it."
    )
    with_key = forms.BooleanField(
        label="Issue a customer key",
        required=False,
        help_text="A key for the customer as a whole, shown once on the next page.",
    )

    class Meta:
        model = Customer
        fields = (
            "name", "email", "external_id", "parent", "tier", "daily_requests", "rate_limit", "max_tokens_per_request",
            "currency", "timezone", "legal_name", "tax_id", "address_line1", "address_line2", "address_city",
            "address_state", "address_zip", "address_country", "billing_email", "billing_phone",
            "remittance_instructions", "payment_provider", "billing_mode", "net_payment_term_days",
            "invoice_grace_days", "associated_domains", "storefront_url", "metadata",
        )  # fmt: skip
        widgets: ClassVar = {"remittance_instructions": forms.Textarea(attrs={"rows": 3})}
        help_texts: ClassVar = {
            "name": "What the customer is called.",
            "email": "Must be unique among customers.",
            "external_id": "What your own systems (a CRM, for example) call this customer. Optional, must be unique.",
            "parent": "The customer that this one belongs to, as a subsidiary or business unit does. Optional.",
            "tier": "The service level.",
            **{limit: tier_limits_help(limit) for limit in ("daily_requests", "rate_limit", "max_tokens_per_request")},
            "currency": "The ISO 4217 code, for example EUR. It cannot change once something is assigned.",
            "legal_name": "The name on invoices, where it is another one.",
            "tax_id": "As it stands on invoices, for example DE123456789.",
            "billing_phone": "Whom to call about an invoice.",
            "remittance_instructions": "How to pay, printed on invoices: bank account, reference.",
            "payment_provider": "Who collects the payments.",
            "billing_mode": "Whether usage is paid before or after.",
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

    def say_where_there_is_none(self) -> None:
        """Tell an operator who could choose nothing why that is; called once the choice is narrowed."""
        if self.queryset is not None and not self.queryset.exists():
            self.empty_label = "There is no such plan in the customer's currency"

    def label_from_instance(self, obj: Any) -> str:
        """Name product, plan and price."""
        return f"{obj.product}: {obj}, {display_money(obj.amount, obj.currency)} a {obj.get_interval_display().lower()}"


class AssignPlanForm(ActionForm):
    """Asks what one customer subscribes to."""

    plan = PlanChoice(help_text="Active plans in the customer's currency whose product is in BETA or GA.")
    starts_at = forms.DateTimeField(label="Starts at", required=False, help_text=STARTS_AT_HELP)
    ends_at = forms.DateTimeField(label="Ends at", required=False, help_text=ENDS_AT_HELP)
    bill_from = forms.DateTimeField(label="Bill from", required=False, help_text=BILL_FROM_HELP)
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
        plans.say_where_there_is_none()
