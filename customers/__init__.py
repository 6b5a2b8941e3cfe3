"""Who buys it: customers, their suspension and deletion, and their subscriptions to rate plans."""
