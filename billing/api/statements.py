"""Statements: what each customer owes, also those that owe nothing; alone, or with everybody below it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.queries.statements import statements_of
from config.api.fields import AmountField, CurrencyField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import QuerySerializer, StrictSerializer
from config.api.views import ApiView, ApiViewSet, Listed
from customers.models import Customer
from customers.models.customer import CustomerQuerySet


class BalanceSerializer(StrictSerializer):
    """What is owed and what is there in one currency; ``ageing`` is the outstanding balance by days overdue."""

    currency = CurrencyField()
    outstanding = AmountField()
    open_invoices = serializers.IntegerField()
    overdue = AmountField()
    overdue_invoices = serializers.IntegerField()
    ageing = serializers.DictField(child=AmountField(), help_text="current, 1_30, 31_60, 61_90, 90_plus")
    unapplied_credit = AmountField()
    wallet_balance = AmountField()
    wallet_spendable = AmountField()


class StatementSerializer(BalanceSerializer):
    """What a customer owes now, in its currency, alone or with everybody below it."""

    customer = TypeIDField("cust")
    name = serializers.CharField()
    customers = serializers.IntegerField(help_text="How many customers the figures are of: 1, or the whole tree.")
    other_currencies = BalanceSerializer(many=True, help_text="What there is in other currencies than the customer's.")


class StatementQuery(QuerySerializer):
    """Whose figures a statement holds."""

    include_children = serializers.BooleanField(
        default=False,
        help_text="Roll up everybody below the customer, too; deleted customers are left out.",
    )


class StatementFilter(StrictFilterSet):
    """Whose statements."""

    customer = TypeIDFilter(field_name="id", prefix="cust")
    search = CharFilter(method="searched")

    def searched(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with every word in name, e-mail or external id."""
        return customers.searched(value)


class StatementViewSet(Listed, ApiViewSet):
    """The statements of all customers."""

    queryset = Customer.objects.live().real()
    serializer_class = StatementSerializer
    filterset_class = StatementFilter
    scope_read = "billing:read"
    queries = {"list": StatementQuery}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what each customer owes, newest customer first."""
        asked = self.query()
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        found = statements_of(page or (), **asked, now=timezone.now())
        return self.get_paginated_response(self.get_serializer(found, many=True).data)


class CustomerStatementView(ApiView):
    """``/v1/customers/{id}/statement``."""

    queryset = Customer.objects.live().real()
    scope_read = "billing:read"
    queries = {"get": StatementQuery}
    answers = {"get": StatementSerializer}

    def get(self, request: Request, pk: str) -> Response:
        """Return what a customer owes."""
        [statement] = statements_of([self.get_object()], **self.query(), now=timezone.now())
        return self.answer(statement)
