"""Apigee X and hybrid."""

from catalog.gateways.apigee.adapter import ApigeeAdapter

__all__ = ["ApigeeAdapter"]
