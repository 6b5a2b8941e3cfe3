"""The page that shows new secrets once."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.contrib.admin import sites
from django.http import HttpRequest
from django.template.response import TemplateResponse

from config.kernel.secrets import IssuedSecret


def secrets_page(
    request: HttpRequest, issued: Sequence[IssuedSecret], back_url: str, *, admin_site: admin.AdminSite | None = None
) -> TemplateResponse:
    """
    Show ``issued`` to the operator who caused them; no cache keeps the page, and nothing can show it again.

    It answers the POST itself: a redirect would have to keep the secret somewhere in between.
    """
    site = admin_site or sites.site
    context = {
        **site.each_context(request),
        "title": "New secret" if len(issued) == 1 else "New secrets",
        "issued": issued,
        "back_url": back_url,
    }
    request.current_app = site.name
    response = TemplateResponse(request, "kernel/secrets.html", context)
    response["Cache-Control"] = "no-store"
    return response
