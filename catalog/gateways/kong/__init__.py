"""Kong Gateway: Enterprise, Konnect and open source."""

from catalog.gateways.kong.adapter import KongAdapter

__all__ = ["KongAdapter"]
