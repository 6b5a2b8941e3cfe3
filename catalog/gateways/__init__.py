"""The gateways of five vendors behind one interface; what talks to them knows no database."""

from catalog.gateways.failures import GatewayFailure
from catalog.gateways.interface import GatewayAdapter
from catalog.gateways.registry import adapter_for, vendor_of

__all__ = ["GatewayAdapter", "GatewayFailure", "adapter_for", "vendor_of"]
