"""Usage, invoices, payments and wallets."""

from billing.models.customer import CustomerStatement, CustomerUsage
from billing.models.hold import Hold, HoldStatus
from billing.models.invoice import Invoice, InvoiceLine, InvoiceStatus, LineKind, PaymentStatus
from billing.models.ledger import LedgerEntry, LedgerKind
from billing.models.payment import Payment, PaymentMethod
from billing.models.period import BilledPeriod, BillingCursor, DocumentCounter, LateUsage
from billing.models.purge import UsagePurge
from billing.models.unclassified import UnclassifiedUsage, UsageReassignment
from billing.models.usage import MetricHour, UsageEvent, UsageHour
from billing.models.wallet import LotKind, Wallet, WalletLot, WalletStatus

__all__ = [
    "BilledPeriod",
    "BillingCursor",
    "CustomerStatement",
    "CustomerUsage",
    "DocumentCounter",
    "Hold",
    "HoldStatus",
    "Invoice",
    "InvoiceLine",
    "InvoiceStatus",
    "LateUsage",
    "LedgerEntry",
    "LedgerKind",
    "LineKind",
    "LotKind",
    "MetricHour",
    "Payment",
    "PaymentMethod",
    "PaymentStatus",
    "UnclassifiedUsage",
    "UsageEvent",
    "UsageHour",
    "UsagePurge",
    "UsageReassignment",
    "Wallet",
    "WalletLot",
    "WalletStatus",
]
