"""Composition of the project: settings, URLs, Celery; and below the apps, the kernel and the API foundation."""
