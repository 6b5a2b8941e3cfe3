"""Deletion of a customer over the API: guarded, or with all that is open."""

from __future__ import annotations

from config.api.deletion import ConfirmationQuery
from config.api.fields import EnumField
from customers.operations.deletion import DeletionMode

#: What a key needs besides the scope of every change of customers to terminate what is open.
TERMINATE_SCOPE = "customers:terminate"


class CustomerDeletionQuery(ConfirmationQuery):
    """Whether what is open is terminated, and whether the consequences that the report names are wanted."""

    mode = EnumField(
        choices=DeletionMode.choices,
        default=DeletionMode.GUARDED.value,
        help_text=f"“terminate” ends what is open first; the key then needs the scope {TERMINATE_SCOPE} too.",
    )
