"""MuleSoft Anypoint API Manager."""

from catalog.gateways.mulesoft.adapter import MuleSoftAdapter

__all__ = ["MuleSoftAdapter"]
