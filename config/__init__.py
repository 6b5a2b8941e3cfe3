"""Meterdesk: settings and URLs on top, the kernel below all apps; and the Celery app that tasks belong to."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
