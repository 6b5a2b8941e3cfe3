"""Usage, invoices, payments and wallets over JSON: translate, one call, translate."""
