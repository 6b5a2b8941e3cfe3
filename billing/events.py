"""Facts of billing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from config.kernel.events import DomainEvent
from config.kernel.ids import TypeID


@dataclass(frozen=True, kw_only=True)
class WalletEvent(DomainEvent):
    """Something about one wallet; amounts are in ``currency`` units."""

    wallet_id: TypeID
    customer_id: TypeID
    at: datetime
    currency: str


@dataclass(frozen=True, kw_only=True)
class WalletFunded(WalletEvent):
    """Money entered a wallet; ``balance`` is the one after it."""

    name: ClassVar[str] = "wallet.funded"

    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, kw_only=True)
class WalletTerminated(WalletEvent):
    """A wallet was closed and ``forfeited``, what was left in it, voided."""

    name: ClassVar[str] = "wallet.terminated"

    forfeited: Decimal


@dataclass(frozen=True, kw_only=True)
class InvoiceEvent(DomainEvent):
    """Something about one invoice."""

    invoice_id: TypeID
    customer_id: TypeID


@dataclass(frozen=True, kw_only=True)
class InvoiceCreated(InvoiceEvent):
    """A draft was drawn up."""

    name: ClassVar[str] = "invoice.created"


@dataclass(frozen=True, kw_only=True)
class InvoiceFinalized(InvoiceEvent):
    """An invoice became final."""

    name: ClassVar[str] = "invoice.finalized"

    total: Decimal


@dataclass(frozen=True, kw_only=True)
class InvoicePaid(InvoiceEvent):
    """Nothing is due on an invoice any more."""

    name: ClassVar[str] = "invoice.paid"


@dataclass(frozen=True, kw_only=True)
class PaymentSucceeded(InvoiceEvent):
    """Money came in for an invoice; ``applied`` of ``amount`` settled it."""

    name: ClassVar[str] = "payment.succeeded"

    payment_id: TypeID
    amount: Decimal
    applied: Decimal
