"""Usage, invoices, payments, wallets and statements in the admin."""

from billing.admin import customer_usage, customers, invoices, plan_bench, statements, unclassified, usage, wallets

__all__ = ["customer_usage", "customers", "invoices", "plan_bench", "statements", "unclassified", "usage", "wallets"]
