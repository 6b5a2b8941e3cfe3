"""What is offered while an operator types into a field that refers to a record."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.kernel.admin.records import ModelAdmin


class Suggestions(AutocompleteJsonView):
    """Django's view, with each record called as its admin says."""

    model_admin: Any

    def serialize_result(self, obj: models.Model, to_field_name: str) -> dict[str, str]:
        """Return id and name of one record."""
        found = super().serialize_result(obj, to_field_name)
        return (
            {**found, "text": self.model_admin.suggested_as(obj)} if isinstance(self.model_admin, ModelAdmin) else found
        )


def suggestions(request: HttpRequest) -> HttpResponseBase:
    """Answer what an operator typed; stands in the URLs before the site's own view."""
    answer: HttpResponseBase = admin.site.admin_view(Suggestions.as_view(admin_site=admin.site))(request)
    return answer
