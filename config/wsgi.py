"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Tasks are sent from web processes too, so the Celery app has to be the current one here.
from config.celery import app as celery_app  # noqa: E402

__all__ = ["application", "celery_app"]
