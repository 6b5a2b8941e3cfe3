"""Wiring of the catalog app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products, metrics and rate plans."""

    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        """Register guards, subscribe handlers."""
        from catalog import guards, handlers
        from catalog.events import DocumentationRequested, GatewayJobRequested
        from catalog.models import Gateway, Product
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard

        register_guard(Product, guards.product_has_rate_plans)
        register_guard(Product, guards.product_has_gateway_mappings)
        register_guard(Gateway, guards.gateway_has_mappings)
        subscribe(DocumentationRequested, handlers.wake_fetching)
        subscribe(GatewayJobRequested, handlers.wake_gateway)
