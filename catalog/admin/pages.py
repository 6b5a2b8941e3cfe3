"""What the pages of records have in common, in this app and those above it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest

from config.kernel.admin import ModelAdmin, TabularInline, display, link_to


class RecordAdmin(ModelAdmin):
    """A record's pages; help texts stand only where there is something to fill in."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form, without help texts where the page only shows."""
        if obj is not None and not self.has_change_permission(request, obj):
            kwargs["help_texts"] = {}
        return super().get_form(request, obj, change, **kwargs)


class LinkedRows(TabularInline):
    """Rows whose first column leads to their own page, so that no row needs a heading."""

    hide_title = True
    show_change_link = False


@display(description="name")
def page_link(obj: models.Model) -> str:
    """Show the name as a link to the page."""
    return link_to(obj)
