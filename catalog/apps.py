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
        from catalog.models import Gateway, Metric, Product, RatePlan
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard

        register_guard(Product, guards.product_has_rate_plans)
        register_guard(Product, guards.product_has_gateway_mappings)
        register_guard(Gateway, guards.gateway_has_mappings)
        register_guard(RatePlan, guards.plan_is_on_sale)
        register_guard(Metric, guards.metric_is_charged)
        subscribe(DocumentationRequested, handlers.wake_fetching)
        subscribe(GatewayJobRequested, handlers.wake_gateway)
