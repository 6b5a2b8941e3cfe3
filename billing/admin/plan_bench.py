"""What billing adds to the price bench of a plan: a month of a customer's usage, filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.validators import RegexValidator
from django.utils import timezone

from billing.models import UsageEvent
from billing.queries.month_usage import month_of, usage_of_month
from catalog.admin import RatePlanAdmin
from catalog.admin.price_bench import UsageSource
from catalog.models import RatePlan
from catalog.queries.prices import UnitsUsed
from config.kernel.admin import site
from customers.models import Customer

validate_month = RegexValidator(r"\A(19[7-9]\d|[2-8]\d{3})-(0[1-9]|1[0-2])\Z", "Write the month as 2026-10.")


class CustomerMonth(UsageSource):
    """Asks whose usage of which month it is."""

    permission = "billing.view_usageevent"

    customer = forms.ModelChoiceField(
        queryset=Customer.objects.live().real(),
        widget=AutocompleteSelect(UsageEvent._meta.get_field("customer"), site),
        help_text="What all its subscriptions used is filled in below.",
    )
    month = forms.CharField(
        required=False, max_length=7, validators=[validate_month],
        help_text="On the customer's calendar, written as 2026-10. Last month where left empty.",
    )  # fmt: skip

    def usage(self, plans: Sequence[RatePlan]) -> Sequence[UnitsUsed]:
        """Return what the customer used in the month."""
        named = self.cleaned_data["month"]
        month = date.fromisoformat(f"{named}-01") if named else None
        customer = self.cleaned_data["customer"]
        self.period = month_of(customer, month, now=timezone.now())
        return usage_of_month(customer, self.period, plans)

    def told(self, usage: Sequence[UnitsUsed]) -> str:
        """Say whose usage it is, or that there is none."""
        customer: Any = self.cleaned_data["customer"]
        month = f"{self.period.start.astimezone(ZoneInfo(customer.timezone)):%B %Y}"
        return f"Usage of {customer} in {month}." if usage else f"{customer} used nothing in {month}."


RatePlanAdmin.usage_source = CustomerMonth
