"""Every URL of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.api.document import OpenApiDocument, ReferencePages
from config.health import healthz, readyz
from config.kernel.admin import suggestions

admin.site.index_title = "Dashboard"

handler400 = "config.api.pages.bad_request"
handler403 = "config.api.pages.permission_denied"
handler404 = "config.api.pages.page_not_found"
handler500 = "config.api.pages.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/autocomplete/", suggestions),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("v1/openapi.json", OpenApiDocument.as_view()),
    path("v1/docs", ReferencePages.as_view()),
    path("v1/", include("catalog.api.urls")),
    path("v1/", include("customers.api.urls")),
    path("v1/", include("credentials.api.urls")),
    path("v1/", include("billing.api.urls")),
]
