"""Usage, invoices, payments and wallets in the admin."""
