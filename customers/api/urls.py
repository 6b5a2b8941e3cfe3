"""The addresses of customers and subscriptions below ``/v1/``."""

from __future__ import annotations

from config.api.routers import ApiRouter
from customers.api.customers import CustomerViewSet
from customers.api.subscriptions import SubscriptionViewSet

router = ApiRouter()
router.register("customers", CustomerViewSet, basename="customer")
router.register("subscriptions", SubscriptionViewSet, basename="subscription")

urlpatterns = router.urls
