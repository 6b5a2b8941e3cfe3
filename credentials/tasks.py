"""Periodic tasks of the credentials app."""

from __future__ import annotations

from celery import shared_task

from credentials.uses import flush_uses


@shared_task
def flush_last_used() -> int:
    """Write down when secrets were used last and return for how many that is news; beat runs it each minute."""
    return flush_uses()
