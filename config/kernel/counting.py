"""Counting long lists: exact as far as anybody looks, an estimate of the planner's beyond."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet

#: Up to here a list is counted row by row.
EXACT_TOTAL = 10_000


def count_or_estimate(rows: QuerySet[Any]) -> tuple[int, bool]:
    """Return how many ``rows`` there are, and whether that is the planner's estimate; exact up to 10 000."""
    # The primary key alone: what the rows are annotated with is not computed to be counted.
    rows = rows.order_by() if rows._fields is not None else rows.order_by().values("pk")  # type: ignore[attr-defined]
    counted = rows[: EXACT_TOTAL + 1].count()
    if counted <= EXACT_TOTAL:
        return counted, False
    plan = json.loads(rows.explain(format="json"))
    return max(int(plan[0]["Plan"]["Plan Rows"]), counted), True
