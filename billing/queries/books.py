"""The books: every row that breaks what must always be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import connection

from billing.documents import content_hash
from billing.models import Invoice
from billing.queries.invariants import INVOICES, KEYS, SUBSCRIPTIONS, USAGE, WALLETS, Invariant
from billing.queries.line_invariants import LINES
from config.kernel.ids import TypeID


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A row that breaks an invariant."""

    invariant: str
    row: str
    detail: str


def invariants() -> list[Invariant]:
    """Return every invariant that is a query."""
    return [*WALLETS, *USAGE, *INVOICES, *LINES, *SUBSCRIPTIONS, *KEYS, *_histories()]


def breaches() -> Iterator[Breach]:
    """Yield every row that breaks an invariant; nothing when the books are right."""
    with connection.cursor() as cursor:
        for invariant in invariants():
            cursor.execute(invariant.sql)
            for row, detail in cursor.fetchall():
                name = TypeID.from_uuid(row, invariant.prefix) if invariant.prefix else str(row)
                yield Breach(invariant=invariant.name, row=name, detail=detail or "")
    yield from _changed_documents()


def _changed_documents() -> Iterator[Breach]:
    """Yield the finalized invoices whose content is not what it was when they were finalized."""
    for invoice in Invoice.objects.finalized().prefetch_related("lines").iterator(chunk_size=500):
        lines = sorted(invoice.lines.all(), key=lambda line: line.position)
        if content_hash(invoice, lines) != invoice.content_hash:
            yield Breach(invariant="finalized_invoices_unchanged", row=invoice.id, detail=str(invoice.number))


def _histories() -> Iterator[Invariant]:
    """Yield, for each model with history, that its newest history row is the row itself."""
    for model in apps.get_models():
        history = getattr(getattr(model, "history", None), "model", None)
        if history is None or model._meta.proxy:
            continue
        quote = connection.ops.quote_name
        columns = [quote(field.column) for field in history.tracked_fields]
        now, then = (", ".join(f"{alias}.{column}" for column in columns) for alias in ("now", "latest"))
        table, past = quote(model._meta.db_table), quote(history._meta.db_table)
        yield Invariant(
            name=f"{model._meta.model_name}_equals_its_history",
            prefix=getattr(model._meta.pk, "prefix", ""),
            sentence=f"The newest history row of a {model._meta.verbose_name} is the row itself",
            sql=f"""
                SELECT now.id, 'differs from its newest history row' FROM {table} now
                LEFT JOIN LATERAL (SELECT * FROM {past} WHERE id = now.id ORDER BY history_id DESC LIMIT 1) latest
                  ON true
                WHERE ({now}) IS DISTINCT FROM ({then})
            """,  # noqa: S608 - the names come from our own models
        )
