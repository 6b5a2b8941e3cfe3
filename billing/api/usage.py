"""What a customer used and what that cost: a series over time, and the running periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.queries.usage import Grouping, UsageBucket, UsageCount, UsageSeries, usage_series
from config.api.fields import AmountField, AwareDateTimeField, EnumField, TypeIDField
from config.api.serializers import QuerySerializer, StrictSerializer
from config.api.views import ApiView
from config.kernel.errors import Invalid
from config.kernel.money import EXACT, ZERO
from customers.models import Customer

#: What usage without a model goes by, so that the models of a row always add up to it.
UNKNOWN_MODEL = "unknown"
DEFAULT_DAYS = timedelta(days=30)
EARLIEST, LATEST = date(1970, 1, 1), date(9997, 12, 31)
#: How many days one answer may span: about ten thousand hours, or ten years of whole days.
MAX_DAYS = {Grouping.HOUR: 400, Grouping.DAY: 3660, Grouping.WEEK: 3660, Grouping.MONTH: 3660}
LATENCY_STEP = Decimal("0.001")


class DayField(serializers.DateField):
    """A calendar day, 1970 to 9997."""

    default_error_messages = {"range": "A day lies between 1970 and 9997"}

    def to_internal_value(self, value: Any) -> date:
        """Return the day."""
        day: date = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            self.fail("range")
        return day


class UsageQuery(QuerySerializer):
    """Which days, on the customer's clock, and how long the rows are."""

    start_date = DayField(required=False, help_text="30 days ago.")
    end_date = DayField(required=False, help_text="Today; the day is inclusive.")
    group_by = EnumField(choices=[one.value for one in Grouping], default=Grouping.DAY.value)


class UsagePeriodSerializer(StrictSerializer):
    """The first and the last second of what was asked for."""

    start = AwareDateTimeField()
    end = AwareDateTimeField()


class UsageSummarySerializer(StrictSerializer):
    """The totals; the latency is a mean over the events that carried one, null without."""

    total_requests = serializers.IntegerField()
    total_tokens = AmountField()
    total_cost = AmountField(help_text="In the customer's currency, unrounded.")
    average_latency_ms = AmountField(allow_null=True)


class ModelUsageSerializer(StrictSerializer):
    """What one model adds to a row; no tokens where no event carried any."""

    requests = serializers.IntegerField()
    tokens = AmountField(required=False)
    cost = AmountField()


class UsageRowSerializer(StrictSerializer):
    """One hour, day, week or month with usage; usage that named no model is under ``unknown``."""

    date = serializers.CharField(
        help_text="2026-02-21 (a week's Monday, a month's 1st); of an hour 2026-02-21T18:00:00Z."
    )
    requests = serializers.IntegerField()
    tokens = AmountField()
    cost = AmountField()
    by_model = serializers.DictField(child=ModelUsageSerializer())


class UsageSerializer(StrictSerializer):
    """The usage of a customer, newest first; rows add up to the summary, models to their row."""

    customer_id = TypeIDField("cust")
    period = UsagePeriodSerializer()
    summary = UsageSummarySerializer()
    breakdown = UsageRowSerializer(many=True)


def days_asked(asked: Mapping[str, Any], today: date) -> tuple[date, date]:
    """
    Return the first and the last day that a :class:`UsageQuery` asks for.

    Raises:
        Invalid: the end lies before the start, or the span is longer than one answer takes.
    """
    grouping = Grouping(asked["group_by"])
    last = asked.get("end_date", today)
    usual = (today if last > today - DEFAULT_DAYS else last) - DEFAULT_DAYS
    first = asked.get("start_date", max(usual, EARLIEST))
    param = "end_date" if "end_date" in asked else "start_date"
    if last < first:
        raise Invalid(param, f"The end, {last}, lies before the start, {first}")
    if (last - first).days >= MAX_DAYS[grouping]:
        longest = MAX_DAYS[grouping]
        raise Invalid(param, f"Grouped by {grouping}, at most {longest} days can be asked for at once")
    return first, last


def usage_document(customer: Customer, series: UsageSeries, grouping: Grouping) -> dict[str, Any]:
    """Return ``series`` as :class:`UsageSerializer` prints it."""
    latency = series.average_latency_ms
    return {
        "customer_id": customer.id,
        "period": {"start": series.start, "end": series.end - timedelta(seconds=1)},
        "summary": {
            "total_requests": series.total.requests,
            "total_tokens": series.total.tokens or ZERO,
            "total_cost": series.total.cost,
            "average_latency_ms": None if latency is None else latency.quantize(LATENCY_STEP, context=EXACT),
        },
        "breakdown": [_row(bucket, grouping) for bucket in series.buckets],
    }


def _row(bucket: UsageBucket, grouping: Grouping) -> dict[str, Any]:
    day = "%Y-%m-%dT%H:%M:%SZ" if grouping is Grouping.HOUR else "%Y-%m-%d"
    models: dict[str, UsageCount] = {}
    for name, count in sorted(bucket.by_model.items()):
        known = models.get(name or UNKNOWN_MODEL)
        models[name or UNKNOWN_MODEL] = count if known is None else _sum(known, count)
    return {
        "date": bucket.start.strftime(day),
        **_count(bucket.total),
        "tokens": bucket.total.tokens or ZERO,
        "by_model": {name: _count(count) for name, count in models.items()},
    }


def _count(count: UsageCount) -> dict[str, Any]:
    tokens = {} if count.tokens is None else {"tokens": count.tokens}
    return {"requests": count.requests, **tokens, "cost": count.cost}


def _sum(one: UsageCount, other: UsageCount) -> UsageCount:
    """Add up usage without a model and that of a model which is called so."""
    with localcontext(EXACT):
        tokens = [count.tokens for count in (one, other) if count.tokens is not None]
        return UsageCount(
            requests=one.requests + other.requests,
            tokens=sum(tokens, ZERO) if tokens else None,
            cost=one.cost + other.cost,
        )


class UsageView(ApiView):
    """``/v1/customers/{id}/usage``."""

    queryset = Customer.objects.live()
    scope_read = "billing:read"
    queries = {"get": UsageQuery}
    answers = {"get": UsageSerializer}

    def get(self, request: Request, pk: str) -> Response:
        """
        Return what a customer used and what it cost, by hour, day, week or month and by model.

        Days are those of the customer's time zone.
        """
        customer: Customer = self.get_object()
        asked = self.query()
        grouping = Grouping(asked["group_by"])
        first, last = days_asked(asked, _today(customer, timezone.now()))
        series = usage_series(customer, first=first, last=last, grouping=grouping)
        return Response(usage_document(customer, series, grouping))


def _today(customer: Customer, now: datetime) -> date:
    return now.astimezone(ZoneInfo(customer.timezone)).date()
