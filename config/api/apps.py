"""Wiring of the API base."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The API base as a Django app: it keeps the idempotency records."""

    name = "config.api"
    label = "api"
    verbose_name = "API"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the log lines of django-structlog carry our request id."""
        from django_structlog.signals import bind_extra_request_metadata

        from config.api.middleware import bind_request_id

        bind_extra_request_metadata.connect(bind_request_id, dispatch_uid="config.api.request_id")
