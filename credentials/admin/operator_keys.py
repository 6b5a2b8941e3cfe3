"""Operator keys in the admin: what integrations call the REST API with."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    ModelAdmin,
    RecordForm,
    action,
    display,
    register,
)
from credentials.admin.keyed import EXPIRES_AT_HELP, KeyStatusFilter, is_in_use, masked, status_now
from credentials.models import OperatorKey, Scope
from credentials.operations.operator_keys import create_operator_key, revoke_operator_key


class OperatorKeyForm(RecordForm):
    """A new key of the API."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Give an integration no more than it needs.",
    )
    expires_at = forms.DateTimeField(required=False, help_text=EXPIRES_AT_HELP)

    class Meta:
        model = OperatorKey
        fields = ("name", "scopes", "expires_at")
        help_texts: ClassVar = {"name": "Which system uses the key; histories name it as who made a change."}


@register(OperatorKey)
class OperatorKeyAdmin(ModelAdmin):
    """What integrations call the API with."""

    form = OperatorKeyForm
    list_display = ("name", masked, status_now, "may", "expires_at", "last_used_at", "created_at")
    list_filter = (KeyStatusFilter,)
    search_fields = ("name", "=last_four")
    fields: ClassVar[Any] = (
        "name", masked, status_now, "may", "expires_at", "revoked_at", "last_used_at", "created_at"
    )  # fmt: skip

    @display(description="scopes")
    def may(self, key: OperatorKey) -> str:
        """Print the scopes."""
        return ", ".join(str(Scope(scope).label) if scope == Scope.ALL else scope for scope in key.scopes)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Never read the digests."""
        return super().get_queryset(request).defer("digest")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a new key has not got yet."""
        return self.fields if obj else OperatorKeyForm.Meta.fields

    def create(self, request: HttpRequest, form: Any) -> OperatorKey:
        """Create a key."""
        return create_operator_key(**form.cleaned_data, now=timezone.now())

    @action("Revoke", permissions=["change"], when=is_in_use, bulk=True, danger=True, icon="key_off")
    def revoke(self, request: HttpRequest, key_id: str, cleaned: dict[str, Any]) -> str:
        """The API answers 401 to this key from the next request on; there is no way back."""
        return f"{revoke_operator_key(key_id, now=timezone.now())} is revoked."
