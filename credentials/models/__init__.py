"""Credentials of customers and subscriptions, and operator keys."""

from credentials.models.credential import Credential, CredentialKind
from credentials.models.operator_key import OperatorKey, Scope

__all__ = ["Credential", "CredentialKind", "OperatorKey", "Scope"]
