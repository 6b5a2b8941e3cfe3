"""Credentials of customers and subscriptions in the admin; the secret itself is shown once, when it is made."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    action,
    page_link,
    register,
)
from credentials.admin.keyed import EXPIRES_AT_HELP, KeyStatusFilter, is_in_use, masked, status_now
from credentials.models import Credential
from credentials.operations.credentials import FULL_SCOPES, issue_customer_key, revoke_credential
from customers.admin import CustomerAdmin, SubscriptionAdmin


class CredentialForm(RecordForm):
    """A new key of a customer."""

    scopes = SimpleArrayField(
        forms.CharField(max_length=100),
        initial=list(FULL_SCOPES),
        help_text="What the key may do, in the words of your own product, separated by commas; * is everything.",
    )
    tags = SimpleArrayField(
        forms.CharField(max_length=100), required=False, help_text="Optional words to find the key by, with commas."
    )
    expires_at = forms.DateTimeField(required=False, help_text=EXPIRES_AT_HELP)

    class Meta:
        model = Credential
        fields = ("customer", "name", "scopes", "tags", "expires_at")
        help_texts: ClassVar = {
            "customer": "A key made here is the customer's as a whole; a subscription gets its own when it starts.",
            "name": "What the key is for, so that it can be told from others.",
        }


class CredentialInline(LinkedRows):
    """Credentials on the page of their customer or subscription."""

    model = Credential
    fields: ClassVar[Any] = (page_link, "kind", masked, status_now, "last_used_at")
    readonly_fields = fields


# A page lies below the app whose rows it shows, so the rows are brought to it from above.
CustomerAdmin.inlines = [*CustomerAdmin.inlines, CredentialInline]
SubscriptionAdmin.inlines = [*SubscriptionAdmin.inlines, CredentialInline]


@register(Credential)
class CredentialAdmin(ModelAdmin):
    """What customers' systems present."""

    form = CredentialForm
    list_display = ("name", "customer", "subscription", "kind", masked, status_now, "last_used_at")
    list_filter = (KeyStatusFilter, ("kind", ChoicesFilter), ("customer", AutocompleteFilter))
    list_select_related = ("customer", "subscription")
    search_fields = ("name", "=last_four", "=client_id", "customer__name")
    search_help_text = "Name, customer, client id or last four"
    autocomplete_fields = ("customer",)
    fields: ClassVar[Any] = (
        "name", "customer", "subscription", "kind", masked, "client_id", status_now, "scopes", "tags", "expires_at",
        "revoked_at", "last_used_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Never read the digests."""
        return super().get_queryset(request).defer("digest")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a new key has not got yet."""
        return self.fields if obj else CredentialForm.Meta.fields

    def create(self, request: HttpRequest, form: Any) -> Credential:
        """Issue a key of the customer."""
        asked = dict(form.cleaned_data)
        customer = asked.pop("customer")
        return issue_customer_key(customer.pk, **asked, now=timezone.now())

    @action("Revoke", permissions=["change"], when=is_in_use, bulk=True, danger=True, icon="key_off")
    def revoke(self, request: HttpRequest, credential_id: str, cleaned: dict[str, Any]) -> str:
        """The key lets nobody in any more, from the next call on; there is no way back."""
        return f"{revoke_credential(credential_id, now=timezone.now())} is revoked."
