"""What the catalog holds, in the admin."""

from catalog.admin.add_ons import AddOnAdmin
from catalog.admin.coupons import CouponAdmin
from catalog.admin.gateway_mappings import GatewayMappingAdmin
from catalog.admin.gateways import GatewayAdmin
from catalog.admin.metrics import MetricAdmin
from catalog.admin.products import ProductAdmin
from catalog.admin.rate_plans import RatePlanAdmin
from catalog.admin.taxes import TaxAdmin

__all__ = [
    "AddOnAdmin",
    "CouponAdmin",
    "GatewayAdmin",
    "GatewayMappingAdmin",
    "MetricAdmin",
    "ProductAdmin",
    "RatePlanAdmin",
    "TaxAdmin",
]
