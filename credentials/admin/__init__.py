"""Credentials and operator keys in the admin."""
