"""Credentials issued from the page of whom they are for: a customer as a whole, or one of its subscriptions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import ActionForm, action
from credentials.admin.keyed import EXPIRES_AT_HELP
from credentials.operations.credentials import (
    FULL_SCOPES,
    issue_customer_key,
    issue_subscription_credential,
)
from customers.admin import CustomerAdmin, SubscriptionAdmin
from customers.admin.customers import is_ordinary
from customers.admin.subscriptions import is_live
from customers.models import Agent, Customer, Subscriber, Subscription

SCOPES_HELP = "What the key may do, in the words of your own product, separated by commas; * is everything."
TAGS_HELP = "Optional words to find the key by, with commas."
NAME_HELP = "What the key is for, so that it can be told from others."
AGENT_HELP = "The customer's application or AI agent that uses it; while that is suspended, the key is off."
SUBSCRIBER_HELP = "The e-mail address of the customer's subscriber who uses it."
SUBSCRIPTION_HELP = "The customer's subscription it belongs to; the key ends with it."


class BindingForm(ActionForm):
    """Asks who of one customer uses a credential; a customer's subscribers are too many to choose from a list."""

    agent = forms.ModelChoiceField(
        queryset=Agent.objects.none(), required=False, empty_label="None in particular", help_text=AGENT_HELP
    )
    subscriber = forms.ModelChoiceField(
        queryset=Subscriber.objects.none(),
        to_field_name="email",
        required=False,
        widget=forms.TextInput,
        help_text=SUBSCRIBER_HELP,
        error_messages={"invalid_choice": "The customer has no subscriber with this e-mail address."},
    )
    tags = SimpleArrayField(forms.CharField(max_length=100), required=False, help_text=TAGS_HELP)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = [self.customer_of(one) for one in self.objects]
        fields: dict[str, Any] = self.fields
        fields["agent"].queryset = Agent.objects.live().filter(team__customer__in=owners).order_by("name")
        fields["subscriber"].queryset = Subscriber.objects.live().filter(customer__in=owners)

    def customer_of(self, record: Any) -> Customer:
        """Return the customer whose subscription's page asks."""
        owner: Customer = record.customer
        return owner

    def clean(self) -> dict[str, Any]:
        """Return what operations take: ids."""
        cleaned = super().clean() or self.cleaned_data
        return {name: getattr(value, "pk", value) for name, value in cleaned.items()}


class KeyForm(BindingForm):
    """Asks for a new key of one customer, and who uses it."""

    name = forms.CharField(max_length=200, help_text=NAME_HELP)
    scopes = SimpleArrayField(forms.CharField(max_length=100), initial=list(FULL_SCOPES), help_text=SCOPES_HELP)
    expires_at = forms.DateTimeField(required=False, help_text=EXPIRES_AT_HELP)
    subscription = forms.ModelChoiceField(
        queryset=Subscription.objects.none(),
        required=False,
        empty_label="None in particular",
        help_text=SUBSCRIPTION_HELP,
    )
    field_order = ("name", "scopes", "subscription", "agent", "subscriber", "tags", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subscriptions: Any = self.fields["subscription"]
        subscriptions.queryset = Subscription.objects.live().filter(customer__in=self.objects)

    def customer_of(self, record: Customer) -> Customer:
        """Return the customer whose page asks."""
        return record


@action(
    "Issue key", permissions=["credentials.add_credential"], form=KeyForm, reason="optional", when=is_ordinary,
    icon="key",
)  # fmt: skip
def issue_key(self: CustomerAdmin, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
    """A key of the customer, for all of it or for one of its own; shown once on the next page."""
    asked = {name: value for name, value in cleaned.items() if name != "reason"}
    return f"{issue_customer_key(customer_id, **asked, now=timezone.now())} is issued."


@action(
    "Issue credential", permissions=["credentials.add_credential"], form=BindingForm, reason="optional", when=is_live,
    icon="key",
)  # fmt: skip
def issue_credential(
    self: SubscriptionAdmin, request: HttpRequest, subscription_id: str, cleaned: dict[str, Any]
) -> str:
    """Another key, or client id and secret, as the product takes it; shown once on the next page."""
    asked = {name: value for name, value in cleaned.items() if name != "reason"}
    return f"{issue_subscription_credential(subscription_id, **asked, now=timezone.now())} has another credential."


CustomerAdmin.extend(issue_key, after="assign_plan")
SubscriptionAdmin.extend(issue_credential, after="cancel_change")
