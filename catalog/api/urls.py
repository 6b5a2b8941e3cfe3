"""The addresses of the catalog below ``/v1/``."""

from __future__ import annotations

from django.urls import path

from catalog.api.add_ons import AddOnViewSet
from catalog.api.catalog_check import CatalogCheckView
from catalog.api.coupons import CouponViewSet
from catalog.api.documentation import DOCUMENTATION_ROUTES, DocumentationViewSet
from catalog.api.gateway_mappings import GatewayMappingViewSet
from catalog.api.gateways import GatewayVendorView, GatewayViewSet
from catalog.api.metrics import MetricViewSet
from catalog.api.plan_diffs import PlanDiffView
from catalog.api.products import ProductViewSet
from catalog.api.rate_plans import RatePlanViewSet
from catalog.api.storefront import StorefrontViewSet
from catalog.api.taxes import TaxViewSet
from config.api.routers import ApiRouter

router = ApiRouter()
router.register("products", ProductViewSet, basename="product")
router.register("storefront/products", StorefrontViewSet, basename="storefront-product")
router.register("gateways", GatewayViewSet, basename="gateway")
router.register("gateway-mappings", GatewayMappingViewSet, basename="gateway-mapping")
router.register("metrics", MetricViewSet, basename="metric")
router.register("rate-plans", RatePlanViewSet, basename="rate-plan")
router.register("add-ons", AddOnViewSet, basename="add-on")
router.register("coupons", CouponViewSet, basename="coupon")
router.register("taxes", TaxViewSet, basename="tax")

urlpatterns = [
    path("products/<str:product_pk>/documentation", DocumentationViewSet.as_view(DOCUMENTATION_ROUTES)),
    path("products/<str:product_pk>/documentation/fetch", DocumentationViewSet.as_view({"post": "fetch"})),
    path("catalog-check", CatalogCheckView.as_view(), name="catalog-check"),
    path("rate-plans/<str:pk>/diff", PlanDiffView.as_view(), name="rate-plan-diff"),
    path("gateway-vendors", GatewayVendorView.as_view()),
    *router.urls,
]
