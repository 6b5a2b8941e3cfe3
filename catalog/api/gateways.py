"""Gateways: connections to the API gateways in front of our products, as JSON; credentials only ever go in."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.gateways import vendor_of
from catalog.gateways.interface import Field, GatewayAdapter
from catalog.gateways.registry import ADAPTERS
from catalog.limits import LIMIT_KINDS
from catalog.models import Gateway, GatewayMapping, Vendor
from catalog.operations.gateway_mappings import request_checks_at, request_restores_at
from catalog.operations.gateways import GatewayFields, create_gateway, delete_gateway, test_gateway, update_gateway
from catalog.queries.supported_limits import JudgedLimit, limits_at
from config.api.deletion import DeletionReportSerializer
from config.api.fields import EnumField, TypeIDField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiView, ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report

LONGEST_VALUE = 10_000
SETTINGS_HELP = "Texts by the names that the vendor asks for: see GET /v1/gateway-vendors."
LEVELS = ["exact", "approximate", "unsupported"]


class TextsField(serializers.DictField):
    """Texts by name."""

    child = serializers.CharField(max_length=LONGEST_VALUE, allow_blank=True, trim_whitespace=False)


class GatewaySerializer(StrictModelSerializer):
    """
    A connection to a gateway, without its credentials.

    ``credentials_set`` names those there are; ``fingerprint`` tells whether two sets are the same. ``attention`` says
    why somebody has to look after it, null while all is well.
    """

    settings = TextsField(read_only=True)
    credentials_set = serializers.ListField(child=serializers.CharField(), source="credential_names", read_only=True)
    attention = serializers.SerializerMethodField()
    test_result = serializers.SerializerMethodField()

    class Meta:
        model = Gateway
        fields = [
            "id", "vendor", "name", "base_url", "settings", "mark", "restores_by_itself", "credentials_set",
            "fingerprint", "credentials_set_at", "attention", "tested_at", "test_result", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_attention(self, gateway: Gateway) -> str | None:
        """Return what is wrong with the connection."""
        return gateway.attention or None

    def get_test_result(self, gateway: Gateway) -> str | None:
        """Return what the last test found."""
        return gateway.test_result or None


class GatewayChangesSerializer(StrictSerializer):
    """What of a connection can change; ``settings`` and ``credentials``, when given, replace all there are."""

    name = serializers.CharField(max_length=100)
    base_url = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="Empty for the vendor's own host, where it has one."
    )
    settings = TextsField(required=False, help_text=SETTINGS_HELP)
    credentials = TextsField(required=False, write_only=True, help_text=f"{SETTINGS_HELP} Never answered.")
    mark = serializers.RegexField(
        r"^[a-z][a-z0-9]{0,19}$", required=False, help_text="What objects of ours are marked with at the gateway."
    )
    restores_by_itself = serializers.BooleanField(required=False)


class NewGatewaySerializer(GatewayChangesSerializer):
    """What connects a gateway."""

    vendor = EnumField(choices=Vendor.choices)
    credentials = TextsField(default=dict, write_only=True, help_text=f"{SETTINGS_HELP} Never answered.")


class ProbeSerializer(StrictSerializer):
    """What a test of the connection found: who answers, and what is missing."""

    ok = serializers.BooleanField()
    version = serializers.CharField()
    edition = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField())


class RequestedSerializer(StrictSerializer):
    """The mappings that wait for a worker now."""

    gateway = TypeIDField("gate")
    requested = serializers.IntegerField()
    mappings = serializers.ListField(child=TypeIDField("gmap"))


class LimitSupportSerializer(StrictSerializer):
    """How well a gateway can enforce one kind of limit; ``why`` it is not exact."""

    limit = EnumField(choices=[(kind.name, kind.label) for kind in LIMIT_KINDS])
    label = serializers.CharField()  # type: ignore[assignment]
    level = EnumField(choices=LEVELS)
    why = serializers.CharField()


class CapabilitiesSerializer(StrictSerializer):
    """What can be had from a gateway as it is set."""

    vendor = EnumField(choices=Vendor.choices)
    takes_our_keys = serializers.BooleanField(help_text="Whether it can be given keys that we made.")
    suspends_keys = serializers.BooleanField(help_text="Whether a key can be switched off and on again.")
    takes_our_clients = serializers.BooleanField(help_text="Whether it can be given client ids that we made.")
    makes_client_credentials = serializers.BooleanField(help_text="Whether it makes client ids and secrets itself.")
    notes = serializers.ListField(child=serializers.CharField())
    limits = LimitSupportSerializer(many=True)


class ChoiceSerializer(StrictSerializer):
    """One of the values that a setting can have."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class VendorFieldSerializer(StrictSerializer):
    """A setting or a credential that a vendor asks for; without ``choices`` it is free text."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    default = serializers.CharField()
    choices = ChoiceSerializer(many=True)


class GatewayVendorSerializer(StrictSerializer):
    """What a vendor's connections and mappings ask for."""

    vendor = EnumField(choices=Vendor.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    needs_base_url = serializers.BooleanField()
    settings = VendorFieldSerializer(many=True)
    credentials = VendorFieldSerializer(many=True)
    external_ref = serializers.CharField(help_text="What a mapping's external_ref names.")
    external_ref_help = serializers.CharField()


class GatewayFilter(StrictFilterSet):
    """Which gateways."""

    vendor = ChoiceFilter(choices=Vendor.choices)


class GatewayViewSet(Listed, Retrieved, ApiViewSet):
    """Gateways."""

    queryset = Gateway.objects.all()
    serializer_class = GatewaySerializer
    filterset_class = GatewayFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    # Who may lay hands on connections gets credentials into the house, or sends ours elsewhere.
    scopes = dict.fromkeys(("create", "partial_update", "destroy", "test"), "gateways:write")
    bodies = {"create": NewGatewaySerializer, "partial_update": GatewayChangesSerializer}
    answers = {
        "destroy": DeletedSerializer,
        "deletion_check": DeletionReportSerializer,
        "test": ProbeSerializer,
        "check": RequestedSerializer,
        "restore": RequestedSerializer,
        "capabilities": CapabilitiesSerializer,
    }
    unframed = ("test",)

    def create(self, request: Request) -> Response:
        """Connect a gateway; nothing is asked of it yet."""
        body = self.body()
        vendor, credentials = body.pop("vendor"), body.pop("credentials")
        fields = GatewayFields(**body)
        return self.created(create_gateway(fields, vendor=vendor, credentials=credentials, now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a connection; what is mapped to the gateway is looked at again."""
        return self.answer(update_gateway(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Forget a connection with its credentials, unless products are mapped to it."""
        gateway, now = self.get_object(), timezone.now()
        delete_gateway(gateway.id)
        return self.answer({"id": gateway.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a gateway."""
        return self.answer(deletion_report(self.get_object()).document())

    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Test a connection: ask the gateway who it is; 409 gateway_unusable says why it cannot be used."""
        probe = test_gateway(pk, now=timezone.now())
        found = {"version": probe.version, "edition": probe.edition, "warnings": list(probe.warnings)}
        return self.answer({"ok": True, **found})

    @extend_schema(responses={202: RequestedSerializer})
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Ask for everything mapped to a gateway to be compared with our record."""
        gateway = self.get_object()
        return self.requested(gateway, request_checks_at(gateway.id, now=timezone.now()))

    @extend_schema(responses={202: RequestedSerializer})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Ask for our record of everything mapped to a gateway to be pushed there."""
        gateway = self.get_object()
        return self.requested(gateway, request_restores_at(gateway.id, now=timezone.now()))

    @action(detail=True, methods=["get"])
    def capabilities(self, request: Request, pk: str) -> Response:
        """Say what can be had from a gateway, and which limits it can enforce how well."""
        gateway = self.get_object()
        able = vendor_of(gateway.vendor).capabilities(gateway.settings)
        limits = [limit_support(one) for one in limits_at(gateway)]
        return self.answer({"vendor": gateway.vendor, **vars(able), "notes": list(able.notes), "limits": limits})

    def requested(self, gateway: Gateway, mappings: list[GatewayMapping]) -> Response:
        """Return the 202 for jobs that wait."""
        ids = [mapping.id for mapping in mappings]
        return self.answer({"gateway": gateway.id, "requested": len(ids), "mappings": ids}, status=202)


class GatewayVendorView(ApiView):
    """What each vendor's connections ask for."""

    serializer_class = GatewayVendorSerializer
    scope_read = "catalog:read"
    lists = ("get",)
    # There is no table behind it whose rows could be filtered.
    filter_backends = ()  # type: ignore[assignment]
    cursor_field = None

    def get(self, request: Request) -> Response:
        """List the vendors with the settings and credentials that their connections ask for."""
        return self.page([vendor_shown(adapter) for adapter in ADAPTERS.values()])


def limit_support(judged: JudgedLimit) -> dict[str, Any]:
    """Return how well a limit can be enforced, as it is answered."""
    kind, support = judged.limit.of, judged.support
    return {"limit": kind.name, "label": kind.label, "level": support.level, "why": support.why}


def vendor_shown(adapter: type[GatewayAdapter]) -> dict[str, Any]:
    """Return what a vendor asks for, as it is answered."""
    return {
        "vendor": adapter.vendor,
        "label": adapter.label,
        "needs_base_url": adapter.needs_base_url,
        "settings": [field_shown(one) for one in adapter.setting_fields],
        "credentials": [field_shown(one) for one in adapter.credential_fields],
        "external_ref": adapter.ref_label,
        "external_ref_help": adapter.ref_help,
    }


def field_shown(field: Field) -> dict[str, Any]:
    """Return a setting or credential that is asked for, as it is answered."""
    shown = {name: getattr(field, name) for name in ("name", "label", "help", "required", "default")}
    return {**shown, "choices": [{"value": value, "label": label} for value, label in field.choices]}
