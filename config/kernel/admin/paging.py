"""Pages of the admin's lists, however long they are."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from config.kernel.counting import count_or_estimate


class CappedPaginator(Paginator[Any]):
    """Count a list exactly up to 10 000 rows and estimate beyond, so that no list is read to its end to be counted."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or about how many."""
        rows: Any = self.object_list
        return count_or_estimate(rows)[0] if isinstance(rows, QuerySet) else len(rows)
