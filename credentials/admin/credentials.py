"""Credentials of customers and subscriptions in the admin; the secret itself is shown once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    ActionForm,
    AutocompleteFilter,
    ChoicesFilter,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    action,
    page_link,
    register,
)
from credentials.admin.issuing import AGENT_HELP, NAME_HELP, SCOPES_HELP, SUBSCRIPTION_HELP, TAGS_HELP
from credentials.admin.keyed import EXPIRES_AT_HELP, KeyStatusFilter, is_in_use, masked, status_now
from credentials.models import Credential
from credentials.operations.credentials import FULL_SCOPES, issue_customer_key, revoke_credential, rotate_credential
from customers.admin import AgentAdmin, CustomerAdmin, SubscriberAdmin, SubscriptionAdmin

#: How long the old secret may go on after a rotation, by what a person calls it.
GRACES = {
    timedelta(0): "Not at all: it stops working at once",
    timedelta(hours=1): "One hour",
    timedelta(days=1): "One day",
    timedelta(days=7): "One week",
}


class CredentialForm(RecordForm):
    """A new key of a customer."""

    scopes = SimpleArrayField(
        forms.CharField(max_length=100),
        initial=list(FULL_SCOPES),
        help_text=SCOPES_HELP,
    )
    tags = SimpleArrayField(forms.CharField(max_length=100), required=False, help_text=TAGS_HELP)
    expires_at = forms.DateTimeField(required=False, help_text=EXPIRES_AT_HELP)

    class Meta:
        model = Credential
        fields = ("customer", "name", "scopes", "subscription", "agent", "subscriber", "tags", "expires_at")
        help_texts: ClassVar = {
            "customer": "A subscription gets a key of its own when it starts; there is no need to make that here.",
            "name": NAME_HELP,
            "subscription": SUBSCRIPTION_HELP,
            "agent": AGENT_HELP,
            "subscriber": "The customer's subscriber who uses it.",
        }


class RotationForm(ActionForm):
    """Asks how long the old secret goes on."""

    grace = forms.TypedChoiceField(
        label="The old secret goes on for",
        choices=[(int(grace.total_seconds()), label) for grace, label in GRACES.items()],
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        initial=int(timedelta(days=1).total_seconds()),
        help_text="Until whoever uses it has the new one. After a leak: not at all.",
    )


class CredentialInline(LinkedRows):
    """Credentials on the page of whom they are for."""

    model = Credential
    fields: ClassVar[Any] = (page_link, "kind", masked, status_now, "last_used_at")
    readonly_fields = fields


# A page lies below the app whose rows it shows, so the rows are brought to it from above.
CustomerAdmin.inlines = [*CustomerAdmin.inlines, CredentialInline]
SubscriptionAdmin.inlines = [*SubscriptionAdmin.inlines, CredentialInline]
AgentAdmin.inlines = [*AgentAdmin.inlines, CredentialInline]
SubscriberAdmin.inlines = [*SubscriberAdmin.inlines, CredentialInline]


def is_active(credential: Credential) -> bool:
    """Tell whether the secret is neither revoked nor expired."""
    return credential.status(timezone.now()) == "active"


@register(Credential)
class CredentialAdmin(ModelAdmin):
    """What customers' systems present."""

    form = CredentialForm
    list_display = (
        "name", "customer", "subscription", "agent", "subscriber", "kind", masked, status_now, "last_used_at"
    )  # fmt: skip
    list_filter = (
        KeyStatusFilter,
        ("kind", ChoicesFilter),
        ("customer", AutocompleteFilter),
        ("subscription", AutocompleteFilter),
        ("agent", AutocompleteFilter),
        ("subscriber", AutocompleteFilter),
    )
    list_select_related = ("customer", "subscription", "agent", "subscriber")
    search_fields = ("name", "=last_four", "=client_id", "customer__name")
    search_help_text = "Name, customer, client id or last four"
    autocomplete_fields = ("customer", "subscription", "agent", "subscriber")
    fields: ClassVar[Any] = (
        "name", "customer", "subscription", "agent", "subscriber", "kind", masked, "client_id", status_now, "scopes",
        "tags", "expires_at", "previous_until", "revoked_at", "last_used_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Never read the digests."""
        return super().get_queryset(request).defer("digest", "previous_digest")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a new key has not got yet."""
        return self.fields if obj else CredentialForm.Meta.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new key has not got yet."""
        return self.inlines if obj else ()

    def create(self, request: HttpRequest, form: Any) -> Credential:
        """Issue a key of the customer."""
        asked = {name: getattr(value, "pk", value) for name, value in form.cleaned_data.items()}
        return issue_customer_key(asked.pop("customer"), **asked, now=timezone.now())

    @action("Rotate", permissions=["change"], form=RotationForm, when=is_active, bulk=True, icon="autorenew")
    def rotate(self, request: HttpRequest, credential_id: str, cleaned: dict[str, Any]) -> str:
        """A new secret for the same credential, shown once on the next page; all else of it stays as it is."""
        return f"{rotate_credential(credential_id, grace=cleaned['grace'], now=timezone.now())} is rotated."

    @action("Revoke", permissions=["change"], when=is_in_use, bulk=True, danger=True, icon="key_off")
    def revoke(self, request: HttpRequest, credential_id: str, cleaned: dict[str, Any]) -> str:
        """The key lets nobody in any more, from the next call on; there is no way back."""
        return f"{revoke_credential(credential_id, now=timezone.now())} is revoked."
