"""A record's history as a page: who changed what, when and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import display_for_field, unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from config.kernel.admin.columns import NOTHING
from config.kernel.money import plain

if TYPE_CHECKING:
    from config.kernel.admin.records import ModelAdmin

ENTRIES_A_PAGE = 50
KINDS = {"+": "Created", "~": "Changed", "-": "Deleted"}
#: What is said of rows that link the record to others.
LINK_KINDS = {"+": "Added", "~": "Changed", "-": "Removed"}
#: Columns that tell nothing: they never change, or with every change.
SILENT = frozenset({"id", "created_at", "updated_at"})

#: What records are called, by the name of the field that refers to them and by their id.
Names = dict[str, dict[Any, str]]
#: How the values of a field are put where its kind does not say it, by the name of the field.
Words = Mapping[str, Callable[[Any], str]]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field's old and new value, as an operator reads them."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the history."""

    kind: str
    row: Any
    changes: Sequence[Change]
    #: Whether the row is one that links the record to another.
    is_link: bool = False


def history_page(admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Render the history of one object, newest first."""
    obj = admin.get_object(request, unquote(object_id))
    if obj is None:
        return admin.not_found(request, object_id)
    if not admin.has_view_or_change_permission(request, obj):
        raise PermissionDenied
    manager = getattr(obj, history_manager(admin.model))
    rows = manager.order_by("-history_date", "-history_id")
    paginator = admin.get_paginator(request, rows, ENTRIES_A_PAGE)
    page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
    # One row more than shown, so that the oldest of this page has one to differ from.
    older = list(rows[page.end_index() : page.end_index() + 1])
    own = list(entries([*page.object_list, *older], shown=len(page.object_list), words=admin.history_words))
    links = link_entries(
        obj,
        admin.linked_history,
        since=own[-1].row.history_date if older else None,
        before=rows[page.start_index() - 2].history_date if page.number > 1 else None,
    )
    context = {
        **admin.admin_site.each_context(request),
        "title": f"History: {obj}",
        "opts": admin.opts,
        "original": obj,
        "entries": sorted([*own, *links], key=lambda entry: entry.row.history_date, reverse=True),
        "page": page,
        "headings": ["When", "Who", "What", "Why"],
        "page_var": PAGE_VAR,
        "back_url": admin.object_url(obj),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "kernel/history.html", context)


def history_manager(model: type[models.Model]) -> str:
    """Return the name of the model's history manager; empty for a model without history."""
    return str(getattr(model._meta, "simple_history_manager_attribute", ""))


def entries(rows: Sequence[Any], *, shown: int, words: Words) -> Iterator[Entry]:
    """Yield the first ``shown`` rows with their differences from the next older one."""
    names = names_in(rows)
    for row, before in list(pairwise([*rows, None]))[:shown]:
        yield Entry(kind=KINDS[row.history_type], row=row, changes=list(changes_between(before, row, names, words)))


def link_entries(
    obj: models.Model, relations: Iterable[str], *, since: datetime | None, before: datetime | None
) -> Iterator[Entry]:
    """
    Yield what was linked to ``obj`` and what no longer is, in [``since``, ``before``); None for no such bound.

    ``relations`` are the names by which the rows that link it refer back.
    """
    for name in relations:
        relation: Any = obj._meta.get_field(name)
        rows = relation.related_model.history.filter(**{relation.field.attname: obj.pk})
        rows = rows if since is None else rows.filter(history_date__gte=since)
        found = list(rows if before is None else rows.filter(history_date__lt=before))
        names = names_in(found)
        for row in found:
            changes = list(changes_between(None, row, names, {}, without=relation.field.name))
            yield Entry(kind=LINK_KINDS[row.history_type], row=row, changes=changes, is_link=True)


def names_in(rows: Sequence[Any]) -> Names:
    """Return what the records that ``rows`` refer to are called, by field and id: one query a field that refers."""
    names: Names = {}
    for field in rows[0].tracked_fields if rows else ():
        if isinstance(field, models.ForeignKey):
            ids = {getattr(row, field.attname) for row in rows} - {None}
            found = field.remote_field.model._base_manager.in_bulk(ids) if ids else {}
            names[field.name] = {pk: str(one) for pk, one in found.items()}
    return names


def changes_between(before: Any, row: Any, names: Names, words: Words, *, without: str = "") -> Iterable[Change]:
    """Yield what differs but the field ``without``; for the first row of a history, what the record was made with."""
    for field in row.tracked_fields:
        if field.name in SILENT or field.name == without:
            continue
        new, old = getattr(row, field.attname), None if before is None else getattr(before, field.attname)
        if new != old and not (before is None and new in (None, "", [], {})):
            # Only what refers to records has names; other values need not be hashable.
            known, put = names.get(field.name), words.get(field.name)
            in_words = known.get if known else put
            was, now_is = (in_words(value) if in_words and value else None for value in (old, new))
            yield Change(
                label=capfirst(str(field.verbose_name)),
                old=was or printed(old, field),
                new=now_is or printed(new, field),
            )


def printed(value: Any, field: models.Field[Any, Any]) -> str:
    """Return a stored value in words: choices by their label, booleans as yes and no, what is many with commas."""
    if value in (None, "", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{plain(value):f}"
    if isinstance(value, list):
        return ", ".join(map(inner, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {inner(one)}" for key, one in sorted(value.items()))
    return str(display_for_field(value, field, NOTHING))


def inner(value: Any) -> str:
    """Return what stands within a list or an object: text as it is, all else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)
