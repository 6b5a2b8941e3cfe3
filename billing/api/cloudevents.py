"""CloudEvents 1.0 (JSON format and batch format) as usage events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from billing.ingestion import InvalidEvent, NewEvent, ReferenceKind, parse_event
from config.api.json import StrictJSONParser

SPEC_VERSION = "1.0"

SUBJECTS = (
    ("sub_", ReferenceKind.SUBSCRIPTION),
    ("cust_", ReferenceKind.CUSTOMER),
    ("subr_", ReferenceKind.SUBSCRIBER),
)

#: Where one of these attributes says whose an event is, its subject does not.
REFERENCES = frozenset({ReferenceKind.CREDENTIAL, ReferenceKind.SUBSCRIPTION, ReferenceKind.CUSTOMER})


class CloudEventParser(StrictJSONParser):
    """Parse one CloudEvent."""

    media_type = "application/cloudevents+json"


class CloudEventBatchParser(StrictJSONParser):
    """Parse a list of CloudEvents into the shape of our own batches."""

    media_type = "application/cloudevents-batch+json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return ``{"events": […]}``."""
        return {"events": super().parse(stream, media_type, parser_context)}


def parse_cloud_event(data: object, *, now: datetime) -> NewEvent:
    """
    Return the usage event that a CloudEvent describes.

    ``id`` is the transaction id, ``time`` the timestamp and ``data`` the properties. Whose it is says one of the
    extension attributes ``credential``, ``subscription`` and ``customer``, else ``subject``, which is an id of one of
    them or of a subscriber. ``subscriber`` and ``product`` are as in our own events; other attributes are not read.
    ``InvalidEvent.param`` names our own fields.

    Raises:
        InvalidEvent: it is no CloudEvent 1.0, or not one that can be counted.
    """
    if not isinstance(data, Mapping):
        raise InvalidEvent("invalid_event", "", "A CloudEvent is an object")
    if data.get("specversion") != SPEC_VERSION:
        raise InvalidEvent("invalid_specversion", "specversion", f"'specversion' is \"{SPEC_VERSION}\"")
    if not isinstance(data.get("source"), str) or not data["source"]:
        raise InvalidEvent("required", "source", "'source' is required")
    if "data_base64" in data:
        raise InvalidEvent("invalid_properties", "properties", "'data' is a JSON object; binary data is not counted")
    said = {name: data[name] for name in (*ReferenceKind, "product") if data.get(name) is not None}
    named = said.keys() & REFERENCES
    event = {
        "transaction_id": data.get("id"),
        "type": data.get("type"),
        "timestamp": data.get("time"),
        "properties": data.get("data", {}),
        **({} if named else _of_subject(data.get("subject"))),
        **said,
    }
    return parse_event(event, now=now)


def _of_subject(subject: object) -> dict[str, object]:
    """Return the reference that a subject makes; one of an unknown kind is left to be refused as a credential."""
    if subject is None:
        return {}
    text = subject if isinstance(subject, str) else ""
    kind = next((kind for prefix, kind in SUBJECTS if text.startswith(prefix)), ReferenceKind.CREDENTIAL)
    return {kind.value: subject}
