"""Which adapter speaks to which vendor."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.gateways.interface import Connection, GatewayAdapter

#: By the name that API and admin use.
ADAPTERS: Mapping[str, type[GatewayAdapter]] = {}


def vendor_of(name: str) -> type[GatewayAdapter]:
    """Return the adapter of the vendor ``name``."""
    return ADAPTERS[name]


def adapter_for(connection: Connection) -> GatewayAdapter:
    """Return an adapter for one job on ``connection``."""
    return ADAPTERS[connection.vendor](connection)
