"""The Celery app and the schedule of the periodic tasks; each has a command of the same name for cron."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from kombu.entity import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("meterdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

#: Gateways answer slowly at times, so their jobs stand in a queue of their own; a worker that names no queue has both.
app.conf.task_queues = (Queue("celery"), Queue("gateways"))  # type: ignore[no-untyped-call]
app.conf.task_default_queue = "celery"
app.conf.task_routes = {
    "catalog.tasks.sync_gateway": {"queue": "gateways"},
    "credentials.tasks.deliver_keys_of_gateway": {"queue": "gateways"},
}

app.conf.beat_schedule = {
    "fetch documentation": {"task": "catalog.tasks.fetch_documentation", "schedule": 60.0},
    "sync gateways": {"task": "catalog.tasks.sync_gateways", "schedule": 60.0},
    "deliver gateway keys": {"task": "credentials.tasks.deliver_gateway_keys", "schedule": 60.0},
    "expire suspensions": {"task": "customers.tasks.expire_suspensions", "schedule": 60.0},
    "end subscriptions": {"task": "customers.tasks.end_subscriptions", "schedule": 60.0},
    "expire holds": {"task": "billing.tasks.expire_holds", "schedule": 60.0},
    "flush last used": {"task": "credentials.tasks.flush_last_used", "schedule": 60.0},
    "bill what is due": {"task": "billing.tasks.bill_due", "schedule": crontab(minute="5")},
    "purge usage of deleted customers": {"task": "billing.tasks.purge_usage", "schedule": crontab(minute="35")},
}
