"""History: who changed what, when and why, one append-only row a change (django-simple-history)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a person at the desk (``user_id``), an operator key, a command or a periodic task."""

    label: str
    user_id: int | None = None
    reason: str = ""


#: What acts when nothing said so: code run in a shell.
NOBODY = Actor(label="system")

_actor: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def current_actor() -> Actor:
    """Return who acts now; interfaces set it, history and ledger rows carry it."""
    return _actor.get()


@contextmanager
def acting_as(label: str, *, user_id: int | None = None, reason: str = "") -> Iterator[None]:
    """Write every change inside the block under the name ``label``, with ``reason``."""
    token = _actor.set(Actor(label=label, user_id=user_id, reason=reason))
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def because(reason: str) -> Iterator[None]:
    """Write every change inside the block with ``reason``, under the name of whoever acts."""
    actor = current_actor()
    with acting_as(actor.label, user_id=actor.user_id, reason=reason):
        yield


class HistoryRow(models.Model):
    """What our history rows carry beside the library's own columns."""

    history_actor = models.CharField(max_length=200)

    class Meta:
        abstract = True


class History(HistoricalRecords):  # type: ignore[misc]
    """A model's history: actor and reason in every row, and no row ever changed or deleted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            bases=(HistoryRow,),
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.TextField(blank=True, default=""),
            user_related_name="+",
            **options,
        )

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Add the trigger that makes the table append-only."""
        return {
            **super().get_meta_options(model),
            "triggers": [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)],
        }

    def create_historical_record(self, instance: models.Model, history_type: str, using: str | None = None) -> None:
        """Write the row under the name and reason of whoever acts now."""
        actor = current_actor()
        row = instance.history.model(  # type: ignore[attr-defined]
            history_type=history_type,
            history_user_id=actor.user_id,
            history_actor=actor.label,
            history_change_reason=actor.reason,
            history_date=timezone.now(),
            **{field.attname: getattr(instance, field.attname) for field in self.fields_included(instance)},
        )
        row.save(using=using if self.use_base_model_db else None)
