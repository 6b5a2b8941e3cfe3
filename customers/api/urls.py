"""The addresses of customers, of what belongs to them, and of subscriptions below ``/v1/``."""

from __future__ import annotations

from config.api.routers import ApiRouter
from customers.api.agents import AgentViewSet
from customers.api.customers import CustomerViewSet
from customers.api.subscribers import SubscriberViewSet
from customers.api.subscriptions import SubscriptionViewSet
from customers.api.teams import TeamViewSet

router = ApiRouter()
router.register("customers", CustomerViewSet, basename="customer")
router.register("subscriptions", SubscriptionViewSet, basename="subscription")
router.register("teams", TeamViewSet, basename="team")
router.register("agents", AgentViewSet, basename="agent")
router.register("subscribers", SubscriberViewSet, basename="subscriber")

urlpatterns = router.urls
