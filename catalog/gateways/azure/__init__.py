"""Azure API Management."""

from catalog.gateways.azure.adapter import AzureAdapter

__all__ = ["AzureAdapter"]
