"""Usage events, as JSON and as CloudEvents."""

from __future__ import annotations

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django_filters import CharFilter
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.cloudevents import CloudEventBatchParser, CloudEventParser, parse_cloud_event
from billing.api.event_serializers import (
    BatchResultSerializer,
    CloudEventSerializer,
    EventBatchSerializer,
    NewEventSerializer,
    ReceivedEventSerializer,
    UsageEventSerializer,
    batch_result,
)
from billing.ingestion import InvalidEvent, parse_event
from billing.models import UsageEvent
from billing.operations.usage import EventParser, EventStatus, receive_events
from config.api.filters import MomentFilter, StrictFilterSet, TypeIDFilter
from config.api.json import MEBIBYTE, StrictJSONParser
from config.api.refusals import InvalidRequest
from config.api.views import ApiViewSet, Listed
from config.kernel.errors import DomainError, ErrorType
from customers.models import UNCLASSIFIED_ID


class TransactionIdConflict(DomainError):
    """Another event was sent under the transaction id."""

    code = "transaction_id_conflict"
    type = ErrorType.CONFLICT
    sentence = "Another event was sent under this transaction id"
    param = "transaction_id"


def refusal_of(error: InvalidEvent) -> DomainError:
    """Return the refusal that answers a single event which was rejected."""
    if error.code == TransactionIdConflict.code:
        return TransactionIdConflict()
    return InvalidRequest(error.code, str(error), param=error.param or None)


class UsageEventFilter(StrictFilterSet):
    """Which events: ``timestamp_after`` is inclusive, ``timestamp_before`` exclusive."""

    customer = TypeIDFilter(prefix="cust")
    subscription = TypeIDFilter(prefix="sub")
    credential = TypeIDFilter(prefix="key")
    subscriber = TypeIDFilter(prefix="subr")
    named = CharFilter(
        method="of_nobody", help_text="Usage of nobody known by all of what it named: “subscription sub_…”."
    )
    type = CharFilter()
    timestamp_after = MomentFilter(field_name="timestamp", lookup_expr="gte")
    timestamp_before = MomentFilter(field_name="timestamp", lookup_expr="lt")

    def of_nobody(self, queryset: QuerySet[UsageEvent], name: str, value: str) -> QuerySet[UsageEvent]:
        """Keep the UNCLASSIFIED events that named ``value``; the names of others are not looked up by."""
        return queryset.filter(customer=UNCLASSIFIED_ID, named=value)


class EventViewSet(Listed, ApiViewSet):
    """Usage events."""

    queryset = UsageEvent.objects.all()
    serializer_class = UsageEventSerializer
    filterset_class = UsageEventFilter
    scope_read, scope_write = "billing:read", "events:write"
    parser_classes = (StrictJSONParser, CloudEventParser)
    bodies = {"create": NewEventSerializer, "batch": EventBatchSerializer}
    answers = {"create": ReceivedEventSerializer, "batch": BatchResultSerializer}
    cursor_field = "timestamp"

    def get_queryset(self) -> QuerySet[UsageEvent]:
        """Return the events with their properties as text, because Django would read numbers as floats."""
        return UsageEvent.objects.defer("properties").annotate(properties_text=Cast("properties", TextField()))

    @extend_schema(
        request={StrictJSONParser.media_type: NewEventSerializer, CloudEventParser.media_type: CloudEventSerializer},
        responses={
            201: ReceivedEventSerializer,
            200: OpenApiResponse(ReceivedEventSerializer, description="The event was there already."),
        },
    )
    def create(self, request: Request) -> Response:
        """
        Take in one event.

        The same transaction id and content again is answered 200 as a duplicate; another content is a conflict.
        """
        [outcome] = receive_events([request.data], parse=_parser_for(request), now=timezone.now())
        if outcome.error is not None:
            raise refusal_of(outcome.error)
        return self.answer(outcome, status=201 if outcome.status is EventStatus.ACCEPTED else 200)

    @extend_schema(
        request={
            StrictJSONParser.media_type: EventBatchSerializer,
            CloudEventBatchParser.media_type: CloudEventSerializer(many=True),
        }
    )
    @action(
        detail=False,
        methods=["post"],
        parser_classes=(StrictJSONParser, CloudEventBatchParser),
        max_body_bytes=8 * MEBIBYTE,
    )
    def batch(self, request: Request) -> Response:
        """
        Take in up to 1000 events; one that is rejected keeps no other from being counted.

        The answer tells of each event, by its place in the list, whether it was accepted, a duplicate or rejected.
        """
        items = self.body()["events"]
        outcomes = receive_events(items, parse=_parser_for(request), now=timezone.now())
        return Response(batch_result(outcomes))


def _parser_for(request: Request) -> EventParser:
    return parse_cloud_event if (request.content_type or "").startswith("application/cloudevents") else parse_event
