"""Wiring of the billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Usage, invoices, payments, wallets and statements."""

    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        """Register guards, locks and checks, subscribe handlers."""
        from billing import checks, guards, handlers, locks
        from billing.queries.activity import UsageActivity
        from catalog.flaws import register_check
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard
        from config.kernel.locks import register_lock
        from customers.activity import provide_activity
        from customers.events import (
            CustomerDeleted,
            CustomerTerminating,
            SubscriberReassigned,
            SubscriptionCanceled,
            SubscriptionStarted,
            SubscriptionTerminated,
            SubscriptionUpdated,
        )
        from customers.models import Customer

        register_guard(Customer, guards.customer_has_open_invoices)
        register_guard(Customer, guards.customer_has_wallet_balance)
        register_guard(Customer, guards.customer_has_pending_holds)
        subscribe(SubscriptionStarted, handlers.begin_billing)
        subscribe(SubscriptionUpdated, handlers.follow_planned_end)
        subscribe(SubscriptionTerminated, handlers.draw_final_invoice)
        subscribe(SubscriptionCanceled, handlers.stop_billing)
        subscribe(SubscriberReassigned, handlers.move_usage_of_reassigned_subscriber)
        subscribe(CustomerTerminating, handlers.finalize_drafts_of_terminated_customer)
        subscribe(CustomerDeleted, handlers.terminate_wallets_of_deleted_customer)
        subscribe(CustomerDeleted, handlers.purge_usage_of_deleted_customer)
        register_lock(Customer, locks.billed_customer)
        provide_activity(UsageActivity())
        register_check(checks.event_types_are_counted)
        register_check(checks.usage_is_charged)
