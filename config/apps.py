"""The composition as a Django app, for its management commands and system checks."""

from django.apps import AppConfig


class MeterdeskConfig(AppConfig):
    """Commands that concern the whole house: ``up``, ``demo``."""

    name = "config"
    label = "meterdesk"
    verbose_name = "Meterdesk"
