"""What a customer used and what that cost: a series over time, broken down as asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ingestion import MAX_MODEL
from billing.queries.breakdowns import UNASSIGNED, UNKNOWN_MODEL, Breakdown
from billing.queries.usage import Grouping, UsageBucket, UsageCount, UsageSeries, usage_series
from config.api.fields import AmountField, AwareDateTimeField, EnumField, TypeIDField
from config.api.serializers import QuerySerializer, StrictSerializer
from config.api.views import ApiView
from config.kernel.errors import Invalid
from config.kernel.money import EXACT, ZERO
from customers.models import Customer

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
    """Which days, on the customer's clock, how long the rows are, what they are broken down by, and whose they are."""

    start_date = DayField(required=False, help_text="30 days ago.")
    end_date = DayField(required=False, help_text="Today; the day is inclusive.")
    group_by = EnumField(choices=[one.value for one in Grouping], default=Grouping.DAY.value)
    breakdown_by = EnumField(
        choices=[one.value for one in Breakdown],
        default=Breakdown.MODEL.value,
        help_text="What each row is broken down by; its key there is `by_` with this word. Teams and agents are those "
        "that credentials are bound to now.",
    )
    model = serializers.CharField(
        required=False,
        max_length=MAX_MODEL,
        trim_whitespace=False,
        help_text="Only this model; `unknown` is what named none.",
    )
    team = TypeIDField("team", required=False)
    agent = TypeIDField("agent", required=False)
    subscriber = TypeIDField("subr", required=False)
    credential = TypeIDField("key", required=False)
    product = TypeIDField("prod", required=False)
    subscription = TypeIDField("sub", required=False)
    metric = TypeIDField(
        "metr",
        required=False,
        help_text="Only what fed this metric, with its units; tokens and latency are not kept by metric: 0 and null.",
    )


class UsagePeriodSerializer(StrictSerializer):
    """The first and the last second of what was asked for."""

    start = AwareDateTimeField()
    end = AwareDateTimeField()


class UsageSummarySerializer(StrictSerializer):
    """The totals; the latency is a mean over the events that carried one, null without."""

    total_requests = serializers.IntegerField()
    total_tokens = AmountField()
    total_cost = AmountField(help_text="In the customer's currency, unrounded.")
    total_units = AmountField(required=False, help_text="Where one metric was asked for.")
    average_latency_ms = AmountField(allow_null=True)


class PartOfUsageSerializer(StrictSerializer):
    """
    What one part adds to a row; no tokens where no event carried any.

    By metric, requests are the events that fed it: one event may feed several, or none.
    """

    requests = serializers.IntegerField()
    tokens = AmountField(required=False)
    units = AmountField(required=False, help_text="Of one metric only.")
    cost = AmountField()


def parts_field(by: Breakdown) -> serializers.DictField:
    """Return the field of a row that is broken down by ``by``; it is there when that was asked for."""
    rest = UNKNOWN_MODEL if by is Breakdown.MODEL else UNASSIGNED
    keys = "the model's name" if by is Breakdown.MODEL else "the id"
    none = "" if by is Breakdown.METRIC else f", `{rest}` for what has none"
    return serializers.DictField(
        child=PartOfUsageSerializer(), required=False, help_text=f"By {keys}{none}; with `breakdown_by={by}`."
    )


class UsageRowSerializer(StrictSerializer):
    """One hour, day, week or month with usage, and one of the ``by_…`` fields: its parts, whose costs add up to its."""

    date = serializers.CharField(
        help_text="2026-02-21 (a week's Monday, a month's 1st); of an hour 2026-02-21T18:00:00Z."
    )
    requests = serializers.IntegerField()
    tokens = AmountField()
    units = AmountField(required=False, help_text="Where one metric was asked for.")
    cost = AmountField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with one for each breakdown there is."""
        return {**super().get_fields(), **{f"by_{by}": parts_field(by) for by in Breakdown}}


class UsageSerializer(StrictSerializer):
    """The usage of a customer, newest first; rows add up to the summary, parts to their row."""

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


def usage_document(customer: Customer, series: UsageSeries, grouping: Grouping, breakdown: Breakdown) -> dict[str, Any]:
    """Return ``series`` as :class:`UsageSerializer` prints it."""
    latency = series.average_latency_ms
    return {
        "customer_id": customer.id,
        "period": {"start": series.start, "end": series.end - timedelta(seconds=1)},
        "summary": {
            "total_requests": series.total.requests,
            "total_tokens": series.total.tokens or ZERO,
            **({} if series.total.units is None else {"total_units": series.total.units}),
            "total_cost": series.total.cost,
            "average_latency_ms": None if latency is None else latency.quantize(LATENCY_STEP, context=EXACT),
        },
        "breakdown": [_row(bucket, grouping, breakdown) for bucket in series.buckets],
    }


def _row(bucket: UsageBucket, grouping: Grouping, breakdown: Breakdown) -> dict[str, Any]:
    day = "%Y-%m-%dT%H:%M:%SZ" if grouping is Grouping.HOUR else "%Y-%m-%d"
    return {
        "date": bucket.start.strftime(day),
        **_count(bucket.total),
        "tokens": bucket.total.tokens or ZERO,
        f"by_{breakdown}": {label: _count(count) for label, count in sorted(bucket.parts.items())},
    }


def _count(count: UsageCount) -> dict[str, Any]:
    """Return the figures; a unit that does not occur is left out."""
    quantities = {"tokens": count.tokens, "units": count.units}
    known = {name: value for name, value in quantities.items() if value is not None}
    return {"requests": count.requests, **known, "cost": count.cost}


class UsageView(ApiView):
    """``/v1/customers/{id}/usage``."""

    queryset = Customer.objects.live()
    scope_read = "billing:read"
    queries = {"get": UsageQuery}
    answers = {"get": UsageSerializer}

    def get(self, request: Request, pk: str) -> Response:
        """
        Return what a customer used and what it cost, by hour, day, week or month and by model, team, agent and so on.

        Days are those of the customer's time zone. A filter keeps a part of what was used at the share of the price
        that it has in the whole, so that the costs of all parts add up to what is not filtered.
        """
        customer: Customer = self.get_object()
        asked = self.query()
        grouping = Grouping(asked["group_by"])
        now = timezone.now()
        first, last = days_asked(asked, _today(customer, now))
        breakdown = Breakdown(asked["breakdown_by"])
        only = {by: str(asked[by]) for by in Breakdown if by in asked}
        series = usage_series(
            customer, first=first, last=last, grouping=grouping, breakdown=breakdown, only=only, now=now
        )
        return Response(usage_document(customer, series, grouping, breakdown))


def _today(customer: Customer, now: datetime) -> date:
    return now.astimezone(ZoneInfo(customer.timezone)).date()
