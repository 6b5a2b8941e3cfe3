"""Usage events as they are sent and kept, and what became of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.ingestion import MAX_PRODUCT, MAX_SUBSCRIBER, MAX_TRANSACTION_ID, MAX_TYPE
from billing.models import UsageEvent
from billing.operations.usage import EventOutcome, EventStatus
from config.api.fields import AwareDateTimeField, EnumField, JSONObjectField, TypeIDField
from config.api.serializers import StrictModelSerializer, StrictSerializer

MAX_BATCH = 1000


@extend_schema_field({"type": "object", "additionalProperties": True})
class ExactObjectField(JSONObjectField):
    """A JSON object out of its text, with all digits of its numbers."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        """Return the object; numbers with a point are decimals."""
        found: dict[str, Any] = json.loads(value, parse_float=Decimal)
        return found


class UsageEventSerializer(StrictModelSerializer):
    """An event as it is kept; ``named`` is what it named where that was nobody alive when it came, else empty."""

    properties = ExactObjectField(source="properties_text", read_only=True)

    class Meta:
        model = UsageEvent
        fields = [
            "transaction_id", "type", "timestamp", "received_at", "customer", "subscription", "credential",
            "subscriber", "named", "properties",
        ]  # fmt: skip


class NewEventSerializer(StrictSerializer):
    """An event as it is sent; it names a credential, else a subscription, else a customer, else a subscriber."""

    transaction_id = serializers.CharField(max_length=MAX_TRANSACTION_ID, help_text="It is counted once by this.")
    type = serializers.CharField(max_length=MAX_TYPE)
    timestamp = AwareDateTimeField(required=False, allow_null=True, help_text="Now; at most 5 minutes ahead.")
    credential = serializers.CharField(
        required=False, allow_null=True, help_text="A credential's id (key_…) or a client id (mc_…), never a secret."
    )
    subscription = TypeIDField("sub", required=False, allow_null=True)
    customer = TypeIDField("cust", required=False, allow_null=True)
    product = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=MAX_PRODUCT,
        help_text="A product's id or code: only subscriptions to it can take usage that names none itself.",
    )
    subscriber = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=MAX_SUBSCRIBER,
        help_text="Who used it: a subscriber's id, e-mail address or subscriber ID (the credential's own). "
        "Without another reference it says whose the event is.",
    )
    properties = JSONObjectField(required=False, help_text="What metrics count: tokens, model, latency_ms, your own.")


class CloudEventSerializer(serializers.Serializer[Any]):
    """A CloudEvent 1.0; ``subject`` or an extension attribute names whose it is, and other attributes are not read."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField(max_length=MAX_TRANSACTION_ID, help_text="The transaction id.")
    type = serializers.CharField(max_length=MAX_TYPE)
    time = AwareDateTimeField(required=False)
    subject = serializers.CharField(
        required=False, help_text="The id of a credential, a subscription, a customer or a subscriber."
    )
    credential = serializers.CharField(required=False)
    subscription = TypeIDField("sub", required=False)
    customer = TypeIDField("cust", required=False)
    product = serializers.CharField(required=False, max_length=MAX_PRODUCT)
    subscriber = serializers.CharField(required=False, max_length=MAX_SUBSCRIBER)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; two have names that serializers use themselves."""
        data = JSONObjectField(required=False, help_text="The properties.")
        return {**super().get_fields(), "source": serializers.CharField(), "data": data}


@extend_schema_field(NewEventSerializer)
class AnyItem(serializers.Field[Any, Any, Any, Any]):
    """Whatever stands in a batch: what is no event is rejected alone, not with its neighbours."""

    def to_internal_value(self, data: Any) -> Any:
        """Return it."""
        return data


class EventBatchSerializer(StrictSerializer):
    """Up to 1000 events."""

    events = serializers.ListField(
        child=AnyItem(allow_null=True), allow_empty=False, min_length=1, max_length=MAX_BATCH
    )


class ReceivedEventSerializer(StrictSerializer):
    """What became of an event, and whose it is; a repeat is a duplicate and counts nothing."""

    transaction_id = serializers.CharField()
    status = EnumField(choices=[EventStatus.ACCEPTED.value, EventStatus.DUPLICATE.value])
    customer = TypeIDField("cust", source="attribution.customer")
    subscription = TypeIDField("sub", source="attribution.subscription", allow_null=True)
    credential = TypeIDField("key", source="attribution.credential", allow_null=True)
    subscriber = TypeIDField("subr", source="attribution.subscriber", allow_null=True)


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
