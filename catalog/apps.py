"""Wiring of the catalog app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products, metrics and rate plans."""

    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        """Register the guards of this app."""
        from catalog import guards
        from catalog.models import Product
        from config.kernel.guards import register_guard

        register_guard(Product, guards.product_has_rate_plans)
