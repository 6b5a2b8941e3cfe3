"""Rows shown on another record's page, and what every page of ours may show."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import flatten, flatten_fieldsets
from django.http import HttpRequest

from config.kernel.admin.theme import ThemedTabularInline


class ShownFields:
    """Lets ``fields`` and ``fieldsets`` name anything that can be shown: what is no input is read-only by itself."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return the fields declared read-only and those that can be nothing else."""
        this: Any = self
        named = flatten_fieldsets(this.fieldsets) if this.fieldsets else flatten(this.fields or ())
        declared = [*super().get_readonly_fields(request, obj)]  # type: ignore[misc]
        inputs = {field.name for field in [*this.opts.fields, *this.opts.many_to_many] if field.editable}
        inputs.update(this.form.base_fields)
        return [*declared, *(name for name in named if name not in inputs and name not in declared)]


class TabularInline(ShownFields, ThemedTabularInline):
    """Rows that belong to a record, to be read on its page and changed on their own."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True
    per_page = 20

    def get_ordering(self, request: HttpRequest) -> Any:
        """Order as the inline or its model says, else newest first: ids made later sort later."""
        return self.ordering or self.opts.ordering or ("-pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added in passing."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed in passing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted in passing."""
        return False


class LinkedRows(TabularInline):
    """Rows whose first column leads to their own page, so that no row needs a heading."""

    hide_title = True
    show_change_link = False
