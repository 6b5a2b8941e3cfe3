"""Reasons of this app why a product, rate plan, customer or team may not be deleted."""

from __future__ import annotations

from catalog.models import Product, RatePlan
from config.kernel.guards import Finding, Verdict, counted
from customers.models import Agent, Customer, Subscription, Team


def customer_is_the_bucket(customer: Customer) -> Finding | None:
    """Block for the UNCLASSIFIED customer, whatever is confirmed or terminated."""
    if not customer.is_system:
        return None
    message = "Usage whose customer is not known is kept on the UNCLASSIFIED customer, which stays as it is"
    return Finding(code="system_customer", verdict=Verdict.BLOCK, message=message, count=0)


def customer_has_subscriptions(customer: Customer) -> Finding | None:
    """Block while a subscription is active or pending."""
    count = Subscription.objects.live().filter(customer=customer).count()
    return _live_subscriptions(count, f"customer__id__exact={customer.pk}")


def team_has_agents(team: Team) -> Finding | None:
    """Block while the team has applications or agents."""
    return counted(
        Agent.objects.live().filter(team=team).count(),
        code="agents",
        verdict=Verdict.BLOCK,
        message="{count} application(s) or agent(s) belong to the team; move or delete them first",
        at="customers_agent",
        query=f"team__id__exact={team.pk}",
    )


def customer_has_children(customer: Customer) -> Finding | None:
    """Block while other customers stand directly below this one; even a termination leaves them where they are."""
    return counted(
        Customer.objects.live().filter(parent=customer).count(),
        code="child_customers",
        verdict=Verdict.BLOCK,
        message="{count} customer(s) stand below this one; move or delete them first",
        at="customers_customer",
        query=f"parent__id__exact={customer.pk}",
    )


def product_has_subscriptions(product: Product) -> Finding | None:
    """Block while somebody subscribes to the product, and for good where somebody ever did."""
    everything = Subscription.objects.filter(plan__product=product)
    query = f"plan__product__id__exact={product.pk}"
    return _live_subscriptions(everything.live().count(), query) or counted(
        everything.count(),
        code="billed_subscriptions",
        verdict=Verdict.BLOCK,
        message="{count} ended subscription(s) were billed by this product's plans; retire it instead",
        at="customers_subscription",
        query=query,
    )


def plan_has_subscriptions(plan: RatePlan) -> Finding | None:
    """Block while somebody subscribes to the plan, and for good where somebody ever did: invoices name its charges."""
    everything = Subscription.objects.filter(plan=plan)
    query = f"plan__id__exact={plan.pk}"
    return _live_subscriptions(everything.live().count(), query) or counted(
        everything.count(),
        code="billed_subscriptions",
        verdict=Verdict.BLOCK,
        message="{count} ended subscription(s) had this plan, which explains their invoices; archive it instead",
        at="customers_subscription",
        query=query,
    )


def _live_subscriptions(count: int, query: str) -> Finding | None:
    return counted(
        count,
        code="active_subscriptions",
        verdict=Verdict.BLOCK,
        message="{count} subscription(s) are active or pending; terminate them first",
        at="customers_subscription",
        query=query,
        ends_with_termination=True,
    )
