"""Products, metrics and rate plans with their charges."""

from catalog.models.metric import Aggregation, Metric
from catalog.models.product import MaturityStage, Product, ProductType
from catalog.models.rate_plan import PRICED_BY_EVENT, Charge, ChargeModel, Interval, PlanStatus, RatePlan

__all__ = [
    "PRICED_BY_EVENT",
    "Aggregation",
    "Charge",
    "ChargeModel",
    "Interval",
    "MaturityStage",
    "Metric",
    "PlanStatus",
    "Product",
    "ProductType",
    "RatePlan",
]
