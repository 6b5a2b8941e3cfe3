"""The terms of a rate plan and of its charges, also those to come, and what a charge is called."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import models

from catalog.models import Charge

#: What a plan or charge has of its own; every other column is a term, which copies share and comparisons tell.
OWN_OF_PLAN = frozenset({"id", "product", "code", "version", "status", "created_at", "updated_at"})
OWN_OF_CHARGE = frozenset({"id", "plan", "position"})


def charge_name(charge: Charge) -> str:
    """Return what a charge is called: its own name, else its metric's with the values it is limited to."""
    limits = ", ".join(value for values in charge.match.values() for value in values)
    return charge.name or (f"{charge.metric.name} ({limits})" if limits else charge.metric.name)


def terms_of(row: models.Model, own: Collection[str]) -> dict[str, Any]:
    """Return the columns of ``row`` by field name, without those in ``own``; a reference is the other object's id."""
    return {one.name: getattr(row, one.attname) for one in row._meta.concrete_fields if one.name not in own}


def links_of(row: models.Model) -> dict[str, list[str]]:
    """Return the ids of what ``row`` is linked to many-to-many, sorted, by field name; a query for each such field."""
    found = {one.name: getattr(row, one.name) for one in row._meta.many_to_many}
    return {name: sorted(str(pk) for pk in linked.values_list("pk", flat=True)) for name, linked in found.items()}
