"""Columns and cells of the admin's lists: money, badges and links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Literal

from django.contrib.admin.utils import quote
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from config.kernel.admin.theme import display, is_gone
from config.kernel.money import display_money

Colour = Literal["success", "info", "warning", "danger", "primary"]
Column = Callable[[Any], Any]
NOTHING = "–"


def money_column(field: str, currency_field: str = "currency", *, description: str | None = None) -> Column:
    """Return a list column that prints an amount with its currency; both names may be paths (``wallet__currency``)."""
    amount_of, currency_of = (attrgetter(path.replace("__", ".")) for path in (field, currency_field))

    @display(description=description or field.rpartition("__")[2].replace("_", " "), ordering=field)
    def column(obj: models.Model) -> str:
        amount = amount_of(obj)
        return NOTHING if amount is None else display_money(amount, currency_of(obj))

    column.__name__ = f"{field}_money"
    return column


def badge(text: object, colour: Colour | None = None) -> str:
    """Return ``text`` as the theme's badge; grey without a colour."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": colour})


def status_badge(
    field: str, colours: Mapping[str, Colour], *, description: str | None = None, ordering: str | None = None
) -> Column:
    """
    Return a list column that prints a choice field or property as a badge, coloured by value.

    A value that ``colours`` does not name is grey. A path (``customer__status``) is followed. ``ordering`` names the
    database field the list may be sorted by.
    """
    value_of = attrgetter(field.replace("__", "."))

    # Rendered here and not through the theme's ``label=``, which prints a tuple on read-only pages.
    @display(description=description or field.rpartition("__")[2].replace("_", " "), ordering=ordering)
    def column(obj: models.Model) -> str:
        value = value_of(obj)
        if value in (None, ""):
            return NOTHING
        label_of = getattr(obj, f"get_{field}_display", None)
        return badge(label_of() if label_of else str(value).replace("_", " "), colours.get(value))

    column.__name__ = f"{field}_badge"
    return column


def change_url(obj: models.Model) -> str:
    """Return the path of the page of ``obj`` in the admin."""
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(obj.pk)])


def link_to(obj: models.Model | None, text: object = None) -> str:
    """Return a link to the page of ``obj``, named ``text`` or as it prints itself; one that was deleted has no page."""
    if obj is None:
        return NOTHING
    if is_gone(obj):
        return f"{text or obj} (deleted)"
    return format_html(
        '<a href="{}" class="text-primary-600 underline dark:text-primary-500">{}</a>', change_url(obj), text or obj
    )


@display(description="name")
def page_link(obj: models.Model) -> str:
    """Show what the object is called as a link to its page."""
    return link_to(obj)
