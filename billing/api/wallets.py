"""Wallets, their ledger and the holds on them, as JSON."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Hold, HoldStatus, LedgerEntry, Wallet, WalletStatus
from billing.models.wallet import LOWEST_PRIORITY, WalletQuerySet
from billing.operations.holds import commit_hold, hold_funds, release_hold
from billing.operations.wallets import fund_wallet, open_wallet, terminate_wallet
from billing.queries.wallets import with_amounts_at
from config.api.fields import AmountField, AwareDateTimeField, CurrencyField, EnumField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.routers import ApiRouter
from config.api.serializers import StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved


class WalletSerializer(StrictModelSerializer):
    """A wallet; overdue holds count as given back."""

    status = EnumField(choices=WalletStatus.choices, read_only=True)
    held = AmountField(source="held_now", read_only=True)
    spendable = AmountField(source="spendable_now", read_only=True)
    terminated_at = AwareDateTimeField(source="closed_at", read_only=True, allow_null=True)

    class Meta:
        model = Wallet
        fields = [
            "id", "customer", "currency", "name", "priority", "status", "balance", "held", "spendable", "created_at",
            "terminated_at",
        ]  # fmt: skip
        read_only_fields = fields


class LedgerEntrySerializer(StrictModelSerializer):
    """One movement of a wallet's money, with its balance and held after it."""

    class Meta:
        model = LedgerEntry
        fields = [
            "id", "wallet", "number", "kind", "amount", "balance_after", "held_after", "hold", "lot", "actor", "reason",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class HoldSerializer(StrictModelSerializer):
    """A hold; one whose end has come is expired, whether or not it has been swept."""

    status = serializers.SerializerMethodField()

    class Meta:
        model = Hold
        fields = ["id", "wallet", "amount", "committed", "reference", "status", "expires_at", "created_at"]
        read_only_fields = fields

    @extend_schema_field(EnumField(choices=HoldStatus.choices))
    def get_status(self, hold: Hold) -> str:
        """Return the status now."""
        return hold.status_at(timezone.now()).value


class NewWalletSerializer(StrictSerializer):
    """What opens a wallet."""

    customer = TypeIDField("cust")
    currency = CurrencyField(required=False, help_text="The customer's, unless another is named.")
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    priority = serializers.IntegerField(
        min_value=1, max_value=LOWEST_PRIORITY, required=False, help_text="1 is drawn first."
    )


class FundSerializer(StrictSerializer):
    """What an operator grants."""

    amount = AmountField(positive=True)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class NewHoldSerializer(StrictSerializer):
    """What is to be kept, and until when."""

    amount = AmountField(positive=True)
    reference = serializers.CharField(max_length=255)
    expires_at = AwareDateTimeField(required=False, allow_null=True, help_text="In an hour; within 30 days.")


class CommitSerializer(StrictSerializer):
    """How much of a hold is taken, and whether that ends it."""

    amount = AmountField(positive=True, required=False, allow_null=True, help_text="All that the hold still keeps.")
    final = serializers.BooleanField(default=True)


class WalletFilter(StrictFilterSet):
    """Which wallets."""

    customer = TypeIDFilter(prefix="cust")
    status = ChoiceFilter(choices=WalletStatus.choices, method="with_status")

    def with_status(self, wallets: WalletQuerySet, name: str, value: str) -> WalletQuerySet:
        """Keep those with the status."""
        return wallets.with_status(value)


class WalletViewSet(Listed, Retrieved, ApiViewSet):
    """Wallets."""

    queryset = Wallet.objects.all()
    serializer_class = WalletSerializer
    filterset_class = WalletFilter
    scope_read, scope_write = "billing:read", "billing:write"
    bodies = {"create": NewWalletSerializer, "fund": FundSerializer}

    def get_queryset(self) -> WalletQuerySet:
        """Return the wallets with their amounts as of now."""
        return with_amounts_at(Wallet.objects.all(), timezone.now())

    def create(self, request: Request) -> Response:
        """Open an empty wallet."""
        wallet = open_wallet(**self.body(), now=timezone.now())
        return self.created(self.get_queryset().find(wallet.id))

    # The operations find the row themselves: they lock it in the order that keeps callers from waiting on each other.

    @action(detail=True, methods=["post"])
    def fund(self, request: Request, pk: str) -> Response:
        """Grant the customer an amount in the wallet's currency."""
        wallet = fund_wallet(pk, **self.body(), now=timezone.now())
        return self.answer(self.get_queryset().find(wallet.id))

    @action(detail=True, methods=["post"])
    def terminate(self, request: Request, pk: str) -> Response:
        """Release the holds, void the balance and close the wallet for good."""
        wallet = terminate_wallet(pk, now=timezone.now())
        return self.answer(self.get_queryset().find(wallet.id))


class _OfOneWallet(Listed, ApiViewSet):
    """What is found below one wallet's address."""

    scope_read, scope_write = "billing:read", "billing:write"

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows of the wallet; raises ``NotFound`` for an unknown one."""
        wallet = Wallet.objects.find(self.kwargs["wallet_id"])
        return super().get_queryset().filter(wallet=wallet)


class WalletTransactionViewSet(_OfOneWallet):
    """The ledger of one wallet."""

    queryset = LedgerEntry.objects.all()
    serializer_class = LedgerEntrySerializer


class WalletHoldViewSet(_OfOneWallet):
    """The holds on one wallet."""

    queryset = Hold.objects.all()
    serializer_class = HoldSerializer
    bodies = {"create": NewHoldSerializer}

    def create(self, request: Request, wallet_id: str) -> Response:
        """Keep an amount for a piece of work; the same reference and amount again are the same hold."""
        hold = hold_funds(wallet_id, **self.body(), now=timezone.now())
        return self.created(hold, location=f"/v1/holds/{hold.id}")


class HoldViewSet(Retrieved, ApiViewSet):
    """Holds."""

    queryset = Hold.objects.all()
    serializer_class = HoldSerializer
    scope_read, scope_write = "billing:read", "billing:write"
    bodies = {"commit": CommitSerializer}

    # As with wallets, the operations find and lock the rows themselves.

    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: str) -> Response:
        """Take an amount of the hold; the rest is given back unless more is to come."""
        return self.answer(commit_hold(pk, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Give back all that the hold still keeps."""
        return self.answer(release_hold(pk, now=timezone.now()))


def register(router: ApiRouter) -> None:
    """Add these view sets to ``router``."""
    router.register("wallets", WalletViewSet, basename="wallet")
    router.register(
        r"wallets/(?P<wallet_id>[^/]+)/transactions", WalletTransactionViewSet, basename="wallet-transaction"
    )
    router.register(r"wallets/(?P<wallet_id>[^/]+)/holds", WalletHoldViewSet, basename="wallet-hold")
    router.register("holds", HoldViewSet, basename="hold")
