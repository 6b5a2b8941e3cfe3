"""Who hears of what, and who may object to what: the whole wiring of the house on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from catalog.flaws import registered_checks
from config.kernel.events import wires
from config.kernel.guards import _guards
from config.kernel.locks import _locks

#: (event, handler) in the order in which handlers are called.
WIRES = [
    ("DocumentationRequested", "catalog.handlers.wake_fetching"),
    ("GatewayJobRequested", "catalog.handlers.wake_gateway"),
    ("ProductRetiring", "customers.handlers.refuse_retirement_of_subscribed_product"),
    ("CustomerCreated", "credentials.handlers.issue_first_customer_key"),
    ("CustomerDeleted", "credentials.handlers.revoke_keys_of_deleted_customer"),
    ("CustomerDeleted", "billing.handlers.terminate_wallets_of_deleted_customer"),
    ("CustomerDeleted", "billing.handlers.purge_usage_of_deleted_customer"),
    ("CustomerTerminating", "billing.handlers.finalize_drafts_of_terminated_customer"),
    ("SubscriptionStarted", "credentials.handlers.issue_subscription_credential"),
    ("SubscriptionStarted", "billing.handlers.begin_billing"),
    ("SubscriptionUpdated", "billing.handlers.follow_planned_end"),
    ("SubscriptionTerminated", "credentials.handlers.revoke_or_move_keys_of_ended_subscription"),
    ("SubscriptionTerminated", "billing.handlers.draw_final_invoice"),
    ("SubscriptionCanceled", "credentials.handlers.revoke_keys_of_canceled_subscription"),
    ("SubscriptionCanceled", "billing.handlers.stop_billing"),
    ("AgentDeleted", "credentials.handlers.revoke_keys_of_deleted_agent"),
    ("SubscriberDeleted", "credentials.handlers.revoke_keys_of_deleted_subscriber"),
    ("CustomerSuspended", "credentials.handlers.follow_access_of_customer"),
    ("CustomerReactivated", "credentials.handlers.follow_access_of_customer"),
    ("AgentSuspended", "credentials.handlers.follow_access_of_agent"),
    ("AgentReactivated", "credentials.handlers.follow_access_of_agent"),
    ("GatewayRestored", "credentials.handlers.look_at_keys_of_restored_gateway"),
    ("GatewayReconnected", "credentials.handlers.send_keys_to_reconnected_gateway"),
    ("GatewayMappingUnlinked", "credentials.handlers.forget_keys_of_unlinked_mapping"),
    ("GatewayKeysWaiting", "credentials.handlers.wake_deliverer"),
    ("SubscriberReassigned", "billing.handlers.move_usage_of_reassigned_subscriber"),
]

#: (model, guard) in the order in which guards are asked.
GUARDS = [
    ("Customer", "customers.guards.customer_is_the_bucket"),
    ("Customer", "customers.guards.customer_has_children"),
    ("Customer", "customers.guards.customer_has_subscriptions"),
    ("Customer", "credentials.guards.customer_has_active_keys"),
    ("Customer", "billing.guards.customer_has_open_invoices"),
    ("Customer", "billing.guards.customer_has_wallet_balance"),
    ("Customer", "billing.guards.customer_has_pending_holds"),
    ("Agent", "credentials.guards.agent_has_active_keys"),
    ("Subscriber", "credentials.guards.subscriber_has_active_keys"),
    ("GatewayMapping", "credentials.guards.mapping_has_keys"),
    ("Product", "catalog.guards.product_has_rate_plans"),
    ("Product", "catalog.guards.product_has_gateway_mappings"),
    ("Product", "catalog.guards.product_has_limited_coupons"),
    ("Product", "customers.guards.product_has_subscriptions"),
    ("Gateway", "catalog.guards.gateway_has_mappings"),
    ("RatePlan", "catalog.guards.plan_is_on_sale"),
    ("RatePlan", "customers.guards.plan_has_subscriptions"),
    ("Metric", "catalog.guards.metric_is_charged"),
    ("Team", "customers.guards.team_has_agents"),
    ("Tax", "catalog.guards.tax_is_default"),
    ("Tax", "catalog.guards.tax_has_rate_plans"),
    ("Tax", "catalog.guards.tax_has_add_ons"),
]


#: (model, lock) in the order in which locks are asked.
LOCKS = [
    ("Customer", "customers.locks.subscribed_customer"),
    ("Customer", "billing.locks.billed_customer"),
]


#: The checks of higher apps that the check of the catalog asks, in this order.
CHECKS = [
    "customers.checks.currencies_have_plans",
    "billing.checks.event_types_are_counted",
    "billing.checks.usage_is_charged",
]


def test_these_handlers_hear_these_events_and_no_others() -> None:
    assert by_name(wires()) == by_name(WIRES)


def test_these_guards_speak_for_these_models_and_no_others() -> None:
    assert by_name(registered(_guards)) == by_name(GUARDS)


def test_these_locks_speak_for_these_models_and_no_others() -> None:
    assert by_name(registered(_locks)) == by_name(LOCKS)


def test_these_checks_speak_of_the_catalog_and_no_others() -> None:
    assert [f"{check.__module__}.{check.__qualname__}" for check in registered_checks()] == CHECKS


def test_handlers_and_guards_stand_in_the_modules_of_their_kind() -> None:
    assert {handler.split(".")[1] for _, handler in wires()} == {"handlers"}
    assert {guard.split(".")[1] for _, guard in GUARDS} == {"guards"}


def registered(registry: Mapping[type, Iterable[Callable[..., Any]]]) -> list[tuple[str, str]]:
    """Return the (model, dotted function) pairs of a registry of the kernel."""
    return [
        (model.__name__, f"{function.__module__}.{function.__qualname__}")
        for model, functions in registry.items()
        for function in functions
    ]


def by_name(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs sorted by their first part, the order within it kept."""
    return sorted(pairs, key=lambda pair: pair[0])
