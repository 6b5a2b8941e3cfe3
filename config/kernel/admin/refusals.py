"""The database's own refusals, told to operators as those of the domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError
from psycopg.errors import IntegrityError as DriverIntegrityError

from config.kernel.errors import DomainError, ErrorType


class RuleBroken(DomainError):
    """A constraint of the database that no operation has a refusal for; constraint names are sentences."""

    code = "rule_broken"
    type = ErrorType.CONFLICT
    sentence = "This would break a rule of the database: {rule}"


@contextmanager
def spelled_out() -> Iterator[None]:
    """
    Raise :class:`RuleBroken` for a violated constraint, so that the operator sees a sentence and no failure of ours.

    It stands around the transaction, because constraints may wait for its end.
    """
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        name = cause.diag.constraint_name if isinstance(cause, DriverIntegrityError) else None
        raise RuleBroken(rule=(name or "other records refer to it").replace("_", " ")) from error
