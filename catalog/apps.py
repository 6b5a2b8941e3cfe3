"""Wiring of the catalog app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products, metrics, rate plans, add-ons, coupons and taxes."""

    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        """Register guards, subscribe handlers."""
        from catalog import guards, handlers
        from catalog.events import DocumentationRequested, GatewayJobRequested
        from catalog.models import Gateway, Metric, Product, RatePlan, Tax
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard
        from config.kernel.sealing import register_sealed

        register_guard(Product, guards.product_has_rate_plans)
        register_guard(Product, guards.product_has_gateway_mappings)
        register_guard(Gateway, guards.gateway_has_mappings)
        register_guard(RatePlan, guards.plan_is_on_sale)
        register_guard(Metric, guards.metric_is_charged)
        register_guard(Product, guards.product_has_limited_coupons)
        register_guard(Tax, guards.tax_is_default)
        register_guard(Tax, guards.tax_has_rate_plans)
        register_guard(Tax, guards.tax_has_add_ons)
        subscribe(DocumentationRequested, handlers.wake_fetching)
        subscribe(GatewayJobRequested, handlers.wake_gateway)
        register_sealed(Gateway, "sealed_credentials")
