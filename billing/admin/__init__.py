"""Usage, invoices, payments, wallets and statements in the admin."""

from billing.admin import customer_usage, invoices, statements, usage, wallets

__all__ = ["customer_usage", "invoices", "statements", "usage", "wallets"]
