"""Usage, invoices, payments, wallets and statements in the admin."""

from billing.admin import invoices, statements, usage, wallets

__all__ = ["invoices", "statements", "usage", "wallets"]
