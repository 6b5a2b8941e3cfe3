"""Wallets and holds: balances, lots and ledger to read; credit, release and termination as actions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.models import Hold, HoldStatus, LedgerEntry, Wallet, WalletLot, WalletStatus
from billing.operations.holds import hold_funds, release_hold
from billing.operations.wallets import fund_wallet, open_wallet, terminate_wallet
from billing.queries.wallets import with_amounts_at
from config.kernel.admin import (
    ActionForm,
    AutocompleteFilter,
    ChoicesFilter,
    DropdownFilter,
    ModelAdmin,
    ReadOnlyModelAdmin,
    TabularInline,
    action,
    badge,
    display,
    money_column,
    register,
    status_badge,
)

SMALLEST_AMOUNT = Decimal("1e-12")
HOLD_COLOURS = {HoldStatus.OPEN: "info", HoldStatus.COMMITTED: "success", HoldStatus.EXPIRED: "warning"}


def money_of_wallet(field: str) -> Any:
    """Return a column with an amount in the currency of the row's wallet."""
    return money_column(field, "wallet__currency")


@display(description="status", ordering="status")
def hold_status(hold: Hold) -> str:
    """Show the status now, whether or not the hold has been swept."""
    status = hold.status_at(timezone.now())
    return badge(status.label, HOLD_COLOURS.get(status))  # type: ignore[arg-type]


class _WalletInline(TabularInline):
    """Rows of one wallet, which they take their currency from."""

    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with their wallet."""
        return super().get_queryset(request).select_related("wallet")


class LotInline(_WalletInline):
    """The wallet's lots."""

    model = WalletLot
    fields: ClassVar[Any] = ("kind", money_of_wallet("amount"), money_of_wallet("remaining"), "created_at")
    readonly_fields = fields


class HoldInline(_WalletInline):
    """The wallet's holds."""

    model = Hold
    fields: ClassVar[Any] = (
        "reference", hold_status, money_of_wallet("amount"), money_of_wallet("committed"), "expires_at", "created_at"
    )  # fmt: skip
    readonly_fields = fields


class LedgerInline(_WalletInline):
    """The wallet's ledger, newest entry first."""

    model = LedgerEntry
    ordering = ("-number",)
    fields: ClassVar[Any] = (
        "number", "kind", money_of_wallet("amount"), money_of_wallet("balance_after"), money_of_wallet("held_after"),
        "hold", "actor", "reason", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the entries with what their columns print."""
        return super().get_queryset(request).select_related("hold")


class FundForm(ActionForm):
    """Asks for the amount, in the wallet's currency."""

    amount = forms.DecimalField(
        min_value=SMALLEST_AMOUNT,
        max_digits=30,
        decimal_places=12,
        error_messages={"min_value": "Must be more than 0."},
    )


class HoldForm(FundForm):
    """Asks what is to be kept, for what, and until when."""

    reference = forms.CharField(max_length=255, help_text="Names the hold in its wallet; once for each piece of work.")
    expires_at = forms.DateTimeField(required=False, help_text="In UTC; in an hour where left empty, 30 days at most.")


class WalletStatusFilter(DropdownFilter):
    """Open or terminated wallets."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the statuses."""
        return list(WalletStatus.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the wallets with the status asked for."""
        status = self.value()
        return queryset.with_status(status) if status in WalletStatus.values else queryset


def is_open(wallet: Wallet) -> bool:
    """Tell whether money can move in ``wallet``."""
    return wallet.closed_at is None


@register(Wallet)
class WalletAdmin(ModelAdmin):
    """Prepaid money of customers."""

    list_display = (
        "__str__",
        "customer",
        status_badge("status", {WalletStatus.ACTIVE: "success"}, ordering="closed_at"),
        money_column("balance"),
        money_column("held_now", description="held"),
        money_column("spendable_now", description="spendable"),
        "priority",
        "created_at",
    )
    list_filter = (WalletStatusFilter, ("customer", AutocompleteFilter))
    list_select_related = ("customer",)
    search_fields = ("name", "customer__name")
    autocomplete_fields = ("customer",)
    new_fields = ("customer", "currency", "name", "priority")
    fields: ClassVar[Any] = (*new_fields, *list_display[2:6], "created_at", "closed_at")
    readonly_fields: ClassVar[Any] = (*list_display[2:6], "created_at", "closed_at")
    inlines = (LotInline, HoldInline, LedgerInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the wallets with their amounts as of now."""
        return with_amounts_at(Wallet.objects.all(), timezone.now())

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a new wallet has not got yet."""
        return self.new_fields if obj is None else self.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new wallet has not got yet."""
        return () if obj is None else self.inlines

    def create(self, request: HttpRequest, form: Any) -> Wallet:
        """Open an empty wallet."""
        asked = {name: form.cleaned_data[name] for name in ("currency", "name", "priority")}
        return open_wallet(customer=form.cleaned_data["customer"].id, **asked, now=timezone.now())

    @action("Add credit", permissions=["change"], form=FundForm, when=is_open, icon="add_card")
    def fund(self, request: HttpRequest, wallet_id: str, cleaned: dict[str, Any]) -> str:
        """Grant the customer an amount in the wallet's currency."""
        fund_wallet(wallet_id, amount=cleaned["amount"], reason=cleaned["reason"], now=timezone.now())
        return "The credit has been added."

    @action("Hold funds", permissions=["change"], form=HoldForm, reason="optional", when=is_open, icon="lock")
    def hold(self, request: HttpRequest, wallet_id: str, cleaned: dict[str, Any]) -> str:
        """Keep an amount of the spendable balance for a piece of work until it is committed, released or expires."""
        asked = {name: cleaned[name] for name in ("amount", "reference", "expires_at")}
        return f"{hold_funds(wallet_id, **asked, now=timezone.now())} is held."

    @action("Terminate", permissions=["change"], when=is_open, danger=True, icon="block")
    def terminate(self, request: HttpRequest, wallet_id: str, cleaned: dict[str, Any]) -> str:
        """Release the holds, void the balance and close the wallet for good."""
        terminate_wallet(wallet_id, now=timezone.now())
        return "The wallet is terminated."


@register(Hold)
class HoldAdmin(ReadOnlyModelAdmin):
    """Money kept for pieces of work."""

    list_display = (
        "reference", "wallet", hold_status, money_of_wallet("amount"), money_of_wallet("committed"), "expires_at",
        "created_at",
    )  # fmt: skip
    list_filter = (("status", ChoicesFilter), ("wallet__customer", AutocompleteFilter))
    list_select_related = ("wallet",)
    search_fields = ("reference__istartswith",)
    fields: ClassVar[Any] = (*list_display, "ended_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the holds with their wallet, which they take their currency from."""
        return super().get_queryset(request).select_related("wallet")

    @action("Release", permissions=["change"], bulk=True, when=lambda hold: hold.ended_at is None, icon="lock_open")
    def release(self, request: HttpRequest, hold_id: str, cleaned: dict[str, Any]) -> str:
        """Give back all that the hold still keeps."""
        hold = release_hold(hold_id, now=timezone.now())
        return f"The hold {hold} is released."
