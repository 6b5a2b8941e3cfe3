"""Products, metrics and rate plans with their charges."""

from catalog.models.documentation import Documentation, DocumentationStatus
from catalog.models.metric import Aggregation, Metric
from catalog.models.product import Audience, MaturityStage, Product, ProductType, PublishStatus
from catalog.models.rate_plan import PRICED_BY_EVENT, Charge, ChargeModel, Interval, PlanStatus, RatePlan

__all__ = [
    "PRICED_BY_EVENT",
    "Aggregation",
    "Audience",
    "Charge",
    "ChargeModel",
    "Documentation",
    "DocumentationStatus",
    "Interval",
    "MaturityStage",
    "Metric",
    "PlanStatus",
    "Product",
    "ProductType",
    "PublishStatus",
    "RatePlan",
]
