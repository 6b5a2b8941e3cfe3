"""Addresses of the catalog below ``/v1/``."""

from __future__ import annotations

from catalog.api.metrics import MetricViewSet
from catalog.api.products import ProductViewSet
from catalog.api.rate_plans import RatePlanViewSet
from config.api.routers import ApiRouter

router = ApiRouter()
router.register("products", ProductViewSet)
router.register("metrics", MetricViewSet)
router.register("rate-plans", RatePlanViewSet)

urlpatterns = router.urls
