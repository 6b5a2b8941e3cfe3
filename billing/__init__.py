"""What they owe: usage events, rating, invoices, payments, wallets and statements."""
