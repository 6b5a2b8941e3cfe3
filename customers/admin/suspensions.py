"""What the pages of customers and agents say of a suspension."""

from __future__ import annotations

from django.utils import timezone

from customers.models.suspension import Suspendable


def is_suspended(record: Suspendable) -> bool:
    """Tell whether access is off now."""
    return record.is_suspended(timezone.now())


def suspension_notice(record: Suspendable) -> str:
    """Return since when, until when and why access is off; empty where it is on."""
    if not is_suspended(record):
        return ""
    since = f"Suspended since {record.suspended_at:%Y-%m-%d %H:%M} UTC"
    until = f"until {record.suspended_until:%Y-%m-%d %H:%M} UTC" if record.suspended_until else "until reactivated"
    return f"{since}, {until}. Reason: {record.suspension_reason or 'none given'}"
