"""Constraint violations of the database, told as refusals of the domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from psycopg.errors import IntegrityError as DriverIntegrityError

from config.kernel.errors import DomainError


@contextmanager
def refusing(refusals: Mapping[str, DomainError]) -> Iterator[None]:
    """
    Raise the refusal of the constraint that the block violates; ``refusals`` is by constraint name.

    Asking the database first would leave a gap between the question and the write; the constraint leaves none. The
    block is a savepoint, so the transaction around it stays usable.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        name = cause.diag.constraint_name if isinstance(cause, DriverIntegrityError) else None
        refusal = refusals.get(name or "")
        if refusal is None:
            raise
        raise refusal from error
