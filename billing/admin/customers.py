"""What billing adds to the customer's page: prepaid credits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from billing.admin.wallets import FundForm
from billing.models import Wallet
from billing.operations.wallets import grant_credits
from config.kernel.admin import action
from config.kernel.money import display_money
from customers.admin import CustomerAdmin
from customers.admin.customers import is_ordinary


class WalletChoice(forms.ModelChoiceField[Wallet]):
    """An open wallet, named with its balance."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Wallet.objects.none(), required=False, **options)

    def label_from_instance(self, obj: Any) -> str:
        """Name the wallet and what is in it."""
        return f"{obj}: {display_money(obj.balance, obj.currency)}"


class CreditsForm(FundForm):
    """Asks for the wallet and the amount; a new wallet is offered to those who may open one."""

    wallet = WalletChoice(help_text="The amount is in the wallet's currency.")
    name = forms.CharField(
        label="Name of the new wallet", max_length=200, required=False, help_text="Optional; only for a new wallet."
    )
    field_order = ("wallet", "name", "amount")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        (customer,) = self.objects
        wallet: Any = self.fields["wallet"]
        wallet.queryset = Wallet.objects.filter(customer=customer).open().order_by("priority", "created_at", "id")
        wallet.initial = next((one.pk for one in wallet.queryset if one.currency == customer.currency), None)
        user: Any = self.request.user
        if user.has_perm("billing.add_wallet"):
            wallet.empty_label = f"A new wallet in {customer.currency}"
        else:
            wallet.required, wallet.empty_label = True, "Select a wallet"
            del self.fields["name"]


@action(
    "Add prepaid credits", permissions=["billing.change_wallet"], form=CreditsForm, when=is_ordinary, icon="add_card"
)
def add_prepaid_credits(self: CustomerAdmin, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
    """Grant the customer an amount to be drawn from before anything is invoiced."""
    wallet = grant_credits(
        customer_id,
        wallet=cleaned["wallet"] and cleaned["wallet"].pk,
        name=cleaned.get("name", ""),
        amount=cleaned["amount"],
        reason=cleaned["reason"],
        now=timezone.now(),
    )
    return f"{display_money(cleaned['amount'], wallet.currency)} added to {wallet}."


CustomerAdmin.extend(add_prepaid_credits, after="assign_plan")
