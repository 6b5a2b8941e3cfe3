"""Products, metrics, rate plans with their charges, add-ons, coupons, taxes, and gateways."""

from catalog.models.add_on import AddOn, AddOnTax
from catalog.models.coupon import Coupon, CouponFrequency, CouponKind, CouponLimit, CouponStatus
from catalog.models.coupon_limit import CouponMetric, CouponPlan
from catalog.models.documentation import Documentation, DocumentationStatus
from catalog.models.gateway import Gateway, GatewayPace, Vendor
from catalog.models.gateway_mapping import DriftReason, GatewayMapping, SyncJob, SyncStatus
from catalog.models.metric import DECIMALS, WITH_LEVEL, Aggregation, Metric, RoundingFunction
from catalog.models.product import Audience, MaturityStage, Product, ProductType, PublishStatus
from catalog.models.rate_plan import PRICED_BY_EVENT, Charge, ChargeModel, Interval, PlanStatus, RatePlan
from catalog.models.rate_plan_tax import RatePlanTax
from catalog.models.tax import Tax

__all__ = [
    "DECIMALS",
    "PRICED_BY_EVENT",
    "WITH_LEVEL",
    "AddOn",
    "AddOnTax",
    "Aggregation",
    "Audience",
    "Charge",
    "ChargeModel",
    "Coupon",
    "CouponFrequency",
    "CouponKind",
    "CouponLimit",
    "CouponMetric",
    "CouponPlan",
    "CouponStatus",
    "Documentation",
    "DocumentationStatus",
    "DriftReason",
    "Gateway",
    "GatewayMapping",
    "GatewayPace",
    "Interval",
    "MaturityStage",
    "Metric",
    "PlanStatus",
    "Product",
    "ProductType",
    "PublishStatus",
    "RatePlan",
    "RatePlanTax",
    "RoundingFunction",
    "SyncJob",
    "SyncStatus",
    "Tax",
    "Vendor",
]
