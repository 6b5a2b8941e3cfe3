"""Usage events, as JSON and as CloudEvents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django_filters import CharFilter
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.cloudevents import CloudEventBatchParser, CloudEventParser, parse_cloud_event
from billing.ingestion import MAX_TRANSACTION_ID, MAX_TYPE, InvalidEvent, parse_event
from billing.models import UsageEvent
from billing.operations.usage import EventOutcome, EventParser, EventStatus, receive_events
from config.api.fields import AwareDateTimeField, EnumField, JSONObjectField, TypeIDField
from config.api.filters import MomentFilter, StrictFilterSet, TypeIDFilter
from config.api.json import MEBIBYTE, StrictJSONParser
from config.api.refusals import InvalidRequest
from config.api.serializers import StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed
from config.kernel.errors import DomainError, ErrorType

MAX_BATCH = 1000


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


class UsageEventSerializer(StrictModelSerializer):
    """An event as it is kept."""

    class Meta:
        model = UsageEvent
        fields = [
            "transaction_id", "type", "timestamp", "received_at", "customer", "subscription", "credential",
            "properties",
        ]  # fmt: skip


class NewEventSerializer(StrictSerializer):
    """An event as it is sent; it names a credential, else a subscription, else a customer."""

    transaction_id = serializers.CharField(max_length=MAX_TRANSACTION_ID, help_text="What the event is counted once by.")
    type = serializers.CharField(max_length=MAX_TYPE)
    timestamp = AwareDateTimeField(required=False, allow_null=True, help_text="Now; at most 5 minutes ahead.")
    credential = serializers.CharField(
        required=False, allow_null=True, help_text="The id of a credential (key_…) or a client id (mc_…), never a secret."
    )
    subscription = TypeIDField("sub", required=False, allow_null=True)
    customer = TypeIDField("cust", required=False, allow_null=True)
    properties = JSONObjectField(required=False, help_text="What metrics count: tokens, model, latency_ms, your own.")


class CloudEventSerializer(StrictSerializer):
    """A CloudEvent 1.0; ``subject`` or an extension attribute names whose it is."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField(max_length=MAX_TRANSACTION_ID, help_text="The transaction id.")
    source = serializers.CharField()
    type = serializers.CharField(max_length=MAX_TYPE)
    time = AwareDateTimeField(required=False)
    subject = serializers.CharField(required=False, help_text="The id of a credential, a subscription or a customer.")
    credential = serializers.CharField(required=False)
    subscription = TypeIDField("sub", required=False)
    customer = TypeIDField("cust", required=False)
    data = JSONObjectField(required=False, help_text="The properties.")


@extend_schema_field(NewEventSerializer)
class AnyItem(serializers.Field[Any, Any, Any, Any]):
    """Whatever stands in a batch: what is no event is rejected alone, not with its neighbours."""

    def to_internal_value(self, data: Any) -> Any:
        """Return it."""
        return data


class EventBatchSerializer(StrictSerializer):
    """Up to 1000 events."""

    events = serializers.ListField(child=AnyItem(allow_null=True), allow_empty=False, max_length=MAX_BATCH)


class ReceivedEventSerializer(StrictSerializer):
    """What became of an event, and whose it is; a repeat is a duplicate and counts nothing."""

    transaction_id = serializers.CharField()
    status = EnumField(choices=[EventStatus.ACCEPTED.value, EventStatus.DUPLICATE.value])
    customer = TypeIDField("cust", source="attribution.customer")
    subscription = TypeIDField("sub", source="attribution.subscription", allow_null=True)
    credential = TypeIDField("key", source="attribution.credential", allow_null=True)


class EventErrorSerializer(StrictSerializer):
    """Why an event was rejected."""

    code = serializers.CharField()
    message = serializers.CharField()
    param = serializers.CharField(required=False)


class EventResultSerializer(StrictSerializer):
    """What became of one event of a batch."""

    index = serializers.IntegerField()
    transaction_id = serializers.CharField(allow_null=True)
    status = EnumField(choices=[status.value for status in EventStatus])
    error = EventErrorSerializer(required=False)


class BatchResultSerializer(StrictSerializer):
    """What became of a batch."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = EventResultSerializer(many=True)


def batch_result(outcomes: Sequence[EventOutcome]) -> dict[str, Any]:
    """Return what became of a batch as :class:`BatchResultSerializer` prints it."""
    counts = Counter(outcome.status for outcome in outcomes)
    return {
        "accepted": counts[EventStatus.ACCEPTED],
        "duplicates": counts[EventStatus.DUPLICATE],
        "rejected": counts[EventStatus.REJECTED],
        "results": [_result(index, outcome) for index, outcome in enumerate(outcomes)],
    }


def _result(index: int, outcome: EventOutcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        "index": index,
        "transaction_id": outcome.transaction_id,
        "status": outcome.status.value,
    }
    if outcome.error is not None:
        param = {"param": outcome.error.param} if outcome.error.param else {}
        result["error"] = {"code": outcome.error.code, "message": str(outcome.error), **param}
    return result


class UsageEventFilter(StrictFilterSet):
    """Which events: ``timestamp_after`` is inclusive, ``timestamp_before`` exclusive."""

    customer = TypeIDFilter(prefix="cust")
    subscription = TypeIDFilter(prefix="sub")
    credential = TypeIDFilter(prefix="key")
    type = CharFilter()
    timestamp_after = MomentFilter(field_name="timestamp", lookup_expr="gte")
    timestamp_before = MomentFilter(field_name="timestamp", lookup_expr="lt")


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
