"""The addresses of the catalog below ``/v1/``."""

from __future__ import annotations

from catalog.api.metrics import MetricViewSet
from catalog.api.products import ProductViewSet
from catalog.api.rate_plans import RatePlanViewSet
from config.api.routers import ApiRouter

router = ApiRouter()
router.register("products", ProductViewSet, basename="product")
router.register("metrics", MetricViewSet, basename="metric")
router.register("rate-plans", RatePlanViewSet, basename="rate-plan")

urlpatterns = router.urls
