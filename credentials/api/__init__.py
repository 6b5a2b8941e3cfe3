"""Credentials and operator keys over JSON: translate, one call, translate."""
