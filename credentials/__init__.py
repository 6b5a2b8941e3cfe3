"""How they get in: credentials of customers and subscriptions, and the operator keys of the API."""
