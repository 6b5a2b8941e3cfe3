"""Wiring of the billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Usage, invoices, payments, wallets and statements."""

    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        """Register guards and locks, subscribe handlers."""
        from billing import guards, handlers, locks
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard
        from config.kernel.locks import register_lock
        from customers.events import (
            CustomerDeleted,
            SubscriptionCanceled,
            SubscriptionStarted,
            SubscriptionTerminated,
        )
        from customers.models import Customer

        register_guard(Customer, guards.customer_has_open_invoices)
        register_guard(Customer, guards.customer_has_wallet_balance)
        register_guard(Customer, guards.customer_has_pending_holds)
        subscribe(SubscriptionStarted, handlers.begin_billing)
        subscribe(SubscriptionTerminated, handlers.draw_final_invoice)
        subscribe(SubscriptionCanceled, handlers.stop_billing)
        subscribe(CustomerDeleted, handlers.terminate_wallets_of_deleted_customer)
        register_lock(Customer, locks.billed_customer)
