"""Products, metrics, rate plans, add-ons, coupons and taxes in the admin."""

from catalog.admin.add_ons import AddOnAdmin
from catalog.admin.coupons import CouponAdmin
from catalog.admin.metrics import MetricAdmin
from catalog.admin.products import ProductAdmin
from catalog.admin.rate_plans import RatePlanAdmin
from catalog.admin.taxes import TaxAdmin

__all__ = ["AddOnAdmin", "CouponAdmin", "MetricAdmin", "ProductAdmin", "RatePlanAdmin", "TaxAdmin"]
