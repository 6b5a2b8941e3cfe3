"""Credentials of customers and subscriptions, where they stand at gateways, and operator keys."""

from credentials.models.credential import Credential, CredentialKind
from credentials.models.gateway_key import GatewayKey, GatewayKeyStatus, WantedKey
from credentials.models.operator_key import OperatorKey, Scope

__all__ = [
    "Credential",
    "CredentialKind",
    "GatewayKey",
    "GatewayKeyStatus",
    "OperatorKey",
    "Scope",
    "WantedKey",
]
