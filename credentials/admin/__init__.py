"""Credentials, operator keys and operators in the admin."""

from credentials.admin.credentials import CredentialAdmin
from credentials.admin.gateway_keys import GatewayKeyAdmin
from credentials.admin.operator_keys import OperatorKeyAdmin
from credentials.admin.operators import GroupAdmin, UserAdmin

__all__ = ["CredentialAdmin", "GatewayKeyAdmin", "GroupAdmin", "OperatorKeyAdmin", "UserAdmin"]
