"""Products, metrics, rate plans with their charges, and gateways."""

from catalog.models.documentation import Documentation, DocumentationStatus
from catalog.models.gateway import Gateway, GatewayPace, Vendor
from catalog.models.gateway_mapping import DriftReason, GatewayMapping, SyncJob, SyncStatus
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
    "SyncJob",
    "SyncStatus",
    "Vendor",
]
