"""Which adapter speaks to which vendor."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.gateways.apigee import ApigeeAdapter
from catalog.gateways.aws import AwsAdapter
from catalog.gateways.azure import AzureAdapter
from catalog.gateways.interface import Connection, GatewayAdapter
from catalog.gateways.kong import KongAdapter
from catalog.gateways.mulesoft import MuleSoftAdapter

#: By the name that API and admin use.
ADAPTERS: Mapping[str, type[GatewayAdapter]] = {
    ApigeeAdapter.vendor: ApigeeAdapter,
    AwsAdapter.vendor: AwsAdapter,
    AzureAdapter.vendor: AzureAdapter,
    KongAdapter.vendor: KongAdapter,
    MuleSoftAdapter.vendor: MuleSoftAdapter,
}


def vendor_of(name: str) -> type[GatewayAdapter]:
    """Return the adapter of the vendor ``name``."""
    return ADAPTERS[name]


def adapter_for(connection: Connection) -> GatewayAdapter:
    """Return an adapter for one job on ``connection``."""
    return ADAPTERS[connection.vendor](connection)
