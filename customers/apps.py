"""Wiring of the customers app."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Customers and their subscriptions."""

    name = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        """Register guards, locks and checks, subscribe handlers."""
        from catalog.events import ProductRetiring
        from catalog.flaws import register_check
        from catalog.models import Product, RatePlan
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard
        from config.kernel.locks import register_lock
        from customers import checks, guards, handlers, locks
        from customers.models import Customer, Team

        register_guard(Product, guards.product_has_subscriptions)
        register_guard(RatePlan, guards.plan_has_subscriptions)
        register_guard(Customer, guards.customer_is_the_bucket)
        register_guard(Customer, guards.customer_has_children)
        register_guard(Customer, guards.customer_has_subscriptions)
        register_guard(Team, guards.team_has_agents)
        register_lock(Customer, locks.subscribed_customer)
        register_check(checks.currencies_have_plans)
        subscribe(ProductRetiring, handlers.refuse_retirement_of_subscribed_product)
