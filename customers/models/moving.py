"""What can come to belong to something else while another transaction waits for its row."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from django.db import models

from config.kernel.models import RecordQuerySet

MovingT_co = TypeVar("MovingT_co", bound=models.Model, covariant=True)


class Moving(Generic[MovingT_co]):
    """Mixed into a query set of rows whose owner changes: they are locked first, and only then read with it."""

    def lock(self, pk: str, *, param: str | None = None) -> MovingT_co:
        """
        Return the row with its lock held until the transaction ends.

        One statement that joins and locks would find nothing where the row has moved while it waited for the lock:
        PostgreSQL looks at the new row then, but at the old owner.

        Raises:
            NotFound: there is none among these, or ``pk`` is no id of this kind of object.
        """
        these: Any = self
        RecordQuerySet.lock(type(these)(these.model, using=these._db), pk, param=param)
        return cast(MovingT_co, these.find(pk, param=param))
