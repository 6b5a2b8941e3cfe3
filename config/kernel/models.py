"""What our models share: timestamps set by operations, and look-ups that lock or refuse with the model's own noun."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models

from config.kernel.errors import NotFound

ModelT_co = TypeVar("ModelT_co", bound=models.Model, covariant=True)


class RecordQuerySet(models.QuerySet[ModelT_co]):
    """Look-ups by id that end in the refusal ``<noun>_not_found`` instead of an exception of the ORM."""

    def find(self, pk: str, *, param: str | None = None) -> ModelT_co:
        """
        Return the row with the id ``pk`` among these; ``param`` is the field of the input that names it.

        Raises:
            NotFound: there is none, or ``pk`` is no id of this kind of object.
        """
        try:
            return self.get(pk=pk)
        except (ObjectDoesNotExist, ValidationError) as error:
            raise NotFound(noun_of(self.model), pk, param=param) from error

    def lock(self, pk: str, *, param: str | None = None) -> ModelT_co:
        """
        Return the row with its lock held until the transaction ends, so that what is checked stays true.

        The lock is the full one: it also keeps away new rows that refer to this one.

        Raises:
            NotFound: there is none, or ``pk`` is no id of this kind of object.
        """
        return self.select_for_update(of=("self",)).find(pk, param=param)


def noun_of(model: type[models.Model]) -> str:
    """Return the noun the API uses for ``model``: ``rate_plan``, ``add_on``."""
    return str(model._meta.verbose_name).replace(" ", "_").replace("-", "_")


class Record(models.Model):
    """A business object: made and changed by operations, which pass the time in."""

    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        abstract = True

    def save_changes(self, *fields: str, now: datetime) -> None:
        """Write ``fields`` and the time of the change."""
        self.updated_at = now
        self.save(update_fields=[*fields, "updated_at"])

    def assign(self, changes: dict[str, Any]) -> list[str]:
        """Set the attributes in ``changes`` that differ and return their names, sorted."""
        changed = sorted(name for name, value in changes.items() if getattr(self, name) != value)
        for name in changed:
            setattr(self, name, changes[name])
        return changed
