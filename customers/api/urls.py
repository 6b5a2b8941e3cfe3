"""Addresses of customers and subscriptions below ``/v1/``."""

from __future__ import annotations

from config.api.routers import ApiRouter
from customers.api.customers import CustomerViewSet
from customers.api.subscriptions import SubscriptionViewSet

router = ApiRouter()
router.register("customers", CustomerViewSet)
router.register("subscriptions", SubscriptionViewSet)

urlpatterns = router.urls
