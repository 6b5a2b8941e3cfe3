"""Customers and subscriptions over JSON: translate, one call, translate."""
