"""What of customers goes in and out as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.deletion import DeletionReportSerializer
from config.api.fields import (
    AmountField,
    AwareDateTimeField,
    CurrencyField,
    EnumField,
    MetadataField,
    TypeIDField,
)
from config.api.serializers import StrictModelSerializer, StrictSerializer
from config.kernel.countries import validate_country
from customers.domains import MAX_DOMAINS, validate_domain
from customers.models import ADDRESS_PARTS, BillingMode, Customer, CustomerStatus, PaymentProvider, Tier
from customers.models.customer import validate_timezone
from customers.models.limits import LARGEST_LIMIT, LIMITS

MAX_DAYS = 365


class AddressSerializer(serializers.Serializer[Any]):
    """A postal address; parts that are not known are empty."""

    line1 = serializers.CharField()
    line2 = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    zip = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2.")


class LimitsSerializer(serializers.Serializer[Any]):
    """How much the customer may use: its own limits, where it has none those of its tier."""

    daily_requests = serializers.IntegerField()
    rate_limit = serializers.IntegerField(help_text="Requests a minute.")
    max_tokens_per_request = serializers.IntegerField()


class MonthOfUseSerializer(serializers.Serializer[Any]):
    """The running month on the customer's own calendar, and the prepaid money left to spend in its currency."""

    requests_this_month = serializers.IntegerField(source="requests")
    tokens_this_month = AmountField(source="tokens")
    credits_remaining = AmountField()


class CustomerSerializer(StrictModelSerializer):
    """A customer."""

    status = serializers.SerializerMethodField()
    parent = TypeIDField("cust", source="parent_id", read_only=True, allow_null=True)  # type: ignore[assignment]
    address = AddressSerializer(read_only=True)
    billing_email = serializers.EmailField(read_only=True, allow_blank=True)
    storefront_url = serializers.URLField(read_only=True, allow_blank=True)
    limits = LimitsSerializer(read_only=True)
    metadata = MetadataField(read_only=True)

    class Meta:
        model = Customer
        fields = [
            "id", "name", "email", "status", "tier", "external_id", "parent", "currency", "timezone", "limits",
            "legal_name", "tax_id", "address", "billing_email", "billing_phone", "remittance_instructions",
            "payment_provider", "billing_mode", "net_payment_term_days", "invoice_grace_days", "associated_domains",
            "storefront_url", "created_at", "updated_at", "metadata",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EnumField(choices=CustomerStatus.choices))
    def get_status(self, customer: Customer) -> str:
        """Return the status now."""
        return customer.status(timezone.now()).value


class ListedCustomerSerializer(CustomerSerializer):
    """A customer, and when it was active last: its newest usage or the last use of one of its keys."""

    last_active = AwareDateTimeField(read_only=True, allow_null=True)

    class Meta(CustomerSerializer.Meta):
        fields = [*CustomerSerializer.Meta.fields, "last_active"]


class CustomerDetailsSerializer(ListedCustomerSerializer):
    """A customer with its running month."""

    usage = MonthOfUseSerializer(source="month_of_use", read_only=True)

    class Meta(ListedCustomerSerializer.Meta):
        fields = [*ListedCustomerSerializer.Meta.fields, "usage"]


class NewCustomerAnswerSerializer(CustomerSerializer):
    """A customer just created, with its first key this once."""

    api_key = serializers.CharField(
        read_only=True, allow_null=True, help_text="A customer key with full scopes; shown in this answer only."
    )

    class Meta(CustomerSerializer.Meta):
        fields = [*CustomerSerializer.Meta.fields, "api_key"]


class AddressChangesSerializer(StrictSerializer):
    """The parts of an address to set; null or an empty text empties one."""

    line1 = serializers.CharField(max_length=200, allow_blank=True, allow_null=True, required=False)
    line2 = serializers.CharField(max_length=200, allow_blank=True, allow_null=True, required=False)
    city = serializers.CharField(max_length=100, allow_blank=True, allow_null=True, required=False)
    state = serializers.CharField(max_length=100, allow_blank=True, allow_null=True, required=False)
    zip = serializers.CharField(max_length=20, allow_blank=True, allow_null=True, required=False)
    country = serializers.CharField(
        allow_blank=True,
        allow_null=True,
        required=False,
        validators=[validate_country],
        help_text="ISO 3166-1 alpha-2, in upper case.",
    )


def own_limit(help_text: str) -> serializers.IntegerField:
    """Return the field of a limit of the customer's own."""
    return serializers.IntegerField(
        min_value=1, max_value=LARGEST_LIMIT, allow_null=True, required=False, help_text=help_text
    )


class LimitChangesSerializer(StrictSerializer):
    """Limits of the customer's own; null goes back to the tier's."""

    daily_requests = own_limit("Requests a day on the customer's calendar.")
    rate_limit = own_limit("Requests a minute.")
    max_tokens_per_request = own_limit("Tokens in one request.")


class CustomerFieldsSerializer(StrictSerializer):
    """
    What of a customer can be set.

    Validated, ``address`` and ``limits`` have become the fields of their parts: ``address_city``, ``rate_limit``.
    """

    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(max_length=254)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)
    parent = TypeIDField(  # type: ignore[assignment]
        "cust", required=False, allow_null=True, help_text="The customer it stands below."
    )
    tier = EnumField(choices=Tier.choices, required=False)
    limits = LimitChangesSerializer(required=False, allow_null=True)
    currency = CurrencyField(required=False)
    timezone = serializers.CharField(required=False, validators=[validate_timezone], help_text="An IANA name.")
    legal_name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    tax_id = serializers.CharField(max_length=50, allow_blank=True, required=False)
    address = AddressChangesSerializer(required=False, allow_null=True)
    billing_email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    billing_phone = serializers.CharField(max_length=50, allow_blank=True, required=False)
    remittance_instructions = serializers.CharField(
        max_length=2000, allow_blank=True, required=False, help_text="How to pay, printed on invoices."
    )
    payment_provider = EnumField(choices=PaymentProvider.choices, required=False)
    billing_mode = EnumField(choices=BillingMode.choices, required=False)
    net_payment_term_days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, required=False)
    invoice_grace_days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, required=False)
    associated_domains = serializers.ListField(
        child=serializers.CharField(max_length=253, validators=[validate_domain]),
        max_length=MAX_DOMAINS,
        required=False,
        help_text="E-mail domains; a subscriber with an address in one of them probably belongs here.",
    )
    storefront_url = serializers.URLField(max_length=500, allow_blank=True, required=False)
    metadata = MetadataField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Lay the parts of the address and the limits out as fields; null stands for all parts at once."""
        if "address" in attrs:
            parts = attrs.pop("address") or dict.fromkeys(ADDRESS_PARTS)
            attrs.update({f"address_{part}": text or "" for part, text in parts.items()})
        if "limits" in attrs:
            attrs.update(attrs.pop("limits") or dict.fromkeys(LIMITS))
        return attrs


class CustomerChangesSerializer(CustomerFieldsSerializer):
    """What of a customer can change."""

    status = EnumField(
        choices=CustomerStatus.choices,
        required=False,
        help_text="`inactive` takes no new subscriptions and keys; `suspended` switches access off.",
    )


class NewCustomerSerializer(CustomerFieldsSerializer):
    """What creates a customer."""

    create_api_key = serializers.BooleanField(default=True, help_text="Whether to issue a first customer key.")


class SuspensionSerializer(StrictSerializer):
    """Why access is switched off, and until when (exclusive); without an end for good."""

    reason = serializers.CharField(max_length=1000, allow_blank=True, default="")
    until = AwareDateTimeField(required=False, allow_null=True, is_future=True)


class CustomerSuspensionSerializer(CustomerSerializer):
    """Whether a customer is suspended, since when, until when and why."""

    class Meta(CustomerSerializer.Meta):
        fields = ["id", "status", "suspended_at", "suspended_until", "suspension_reason"]
        read_only_fields = fields


class CustomerDeletionReportSerializer(DeletionReportSerializer):
    """What stands in the way of deleting a customer."""

    customer_id = serializers.CharField()
