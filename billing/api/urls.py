"""The addresses of billing below ``/v1/``."""

from __future__ import annotations

from django.urls import path

from billing.api import wallets
from billing.api.current_usage import CurrentUsageView
from billing.api.events import EventViewSet
from billing.api.invoices import InvoiceViewSet
from billing.api.payments import PaymentViewSet
from billing.api.plan_prices import PlanPriceView
from billing.api.statements import CustomerStatementView, StatementViewSet
from billing.api.unclassified import UnclassifiedUsageViewSet
from billing.api.usage import UsageView
from config.api.routers import ApiRouter

router = ApiRouter()
router.register("events", EventViewSet, basename="event")
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("payments", PaymentViewSet, basename="payment")
router.register("statements", StatementViewSet, basename="statement")
router.register("unclassified-usage", UnclassifiedUsageViewSet, basename="unclassified-usage")
wallets.register(router)

urlpatterns = [
    path("customers/<str:pk>/usage", UsageView.as_view(), name="customer-usage"),
    path("customers/<str:pk>/current-usage", CurrentUsageView.as_view(), name="customer-current-usage"),
    path("customers/<str:pk>/price-on-plan", PlanPriceView.as_view(), name="customer-price-on-plan"),
    path("customers/<str:pk>/statement", CustomerStatementView.as_view(), name="customer-statement"),
    *router.urls,
]
