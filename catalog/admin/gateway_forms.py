"""The form of a gateway: what every connection has, and what its vendor asks for besides."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from catalog.gateways.interface import Field, GatewayAdapter
from catalog.models import Gateway
from config.kernel.admin import RecordForm, SecretText

#: What every connection has, whoever the vendor is.
COMMON = ("name", "base_url", "mark", "restores_by_itself")

OWN_HOST = "Leave empty for the vendor's own host; an address of yours replaces it for every call."
ADMIN_ADDRESS = (
    "Where the gateway's admin interface is. Addresses inside your network have to be allowed in the deployment "
    "(GATEWAY_ALLOWED_NETWORKS)."
)


class GatewayForm(RecordForm):
    """A connection; ``form_for`` adds what its vendor asks for."""

    adapter: ClassVar[type[GatewayAdapter]]

    class Meta:
        model = Gateway
        fields = COMMON
        help_texts: ClassVar = {
            "name": "What operators call it. Must be unique.",
            "mark": (
                "What we make at the gateway is marked with it, and nothing else is ever touched. Installations that "
                "share a gateway need different ones. It cannot change while products are mapped."
            ),
            "restores_by_itself": (
                "Push our record as soon as a check finds a difference; otherwise an operator decides."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in self.adapter.setting_fields:
            self.initial.setdefault(f"settings.{one.name}", self.instance.settings.get(one.name, one.default))
        if "base_url" in self.fields:
            self.fields["base_url"].required = self.adapter.needs_base_url
            self.fields["base_url"].help_text = ADMIN_ADDRESS if self.adapter.needs_base_url else OWN_HOST

    def given(self, group: str) -> dict[str, str]:
        """Return what was typed of the ``settings`` or ``credentials``, by name, without what was left empty."""
        typed = {name: value for name, value in self.cleaned_data.items() if name.startswith(f"{group}.") and value}
        return {name.partition(".")[2]: value for name, value in typed.items()}


def form_for(adapter: type[GatewayAdapter], *, is_new: bool) -> type[GatewayForm]:
    """
    Return the form of a vendor's connections; its fields are called as refusals call them: ``settings.region``.

    The credentials of a connection that is there may be left empty.
    """
    settings = {f"settings.{one.name}": input_for(one) for one in adapter.setting_fields}
    credentials = {f"credentials.{one.name}": secret_for(one, is_new=is_new) for one in adapter.credential_fields}
    return type("VendorGatewayForm", (GatewayForm,), {**settings, **credentials, "adapter": adapter})


def input_for(field: Field) -> forms.Field:
    """Return the input of a setting."""
    about: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.required}
    if field.choices:
        empty = [] if field.required and field.default else [("", "–")]
        return forms.ChoiceField(choices=[*empty, *field.choices], **about)
    return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}) if field.is_long else forms.TextInput, **about)


def secret_for(field: Field, *, is_new: bool) -> forms.Field:
    """Return the input of a credential, which no page shows again."""
    attributes = {"autocomplete": "new-password", "spellcheck": "false"}
    widget = SecretText({**attributes, "rows": 6}) if field.is_long else forms.PasswordInput(attributes)
    return forms.CharField(
        label=field.label, help_text=field.help, required=field.required and is_new, widget=widget
    )  # fmt: skip
