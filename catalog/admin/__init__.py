"""Products, metrics, rate plans in the admin."""

from catalog.admin.metrics import MetricAdmin
from catalog.admin.products import ProductAdmin
from catalog.admin.rate_plans import RatePlanAdmin

__all__ = ["MetricAdmin", "ProductAdmin", "RatePlanAdmin"]
