"""Customers and subscriptions in the admin."""
