"""What an event must look like before it is attributed: shapes, bounds and the refusals that name the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from config.kernel.digests import digest_of
from config.kernel.ids import MalformedTypeID, TypeID
from config.kernel.money import EXACT

MAX_TRANSACTION_ID = 255
MAX_TYPE = 100
MAX_MODEL = 255
MAX_SUBSCRIBER = 255
MAX_PRODUCT = 100
#: How far a sender's clock may run ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)
#: Before this, offsets leave what Python can count and time zones were no whole minutes.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
#: The columns hold 18 integer and 12 fraction digits; a million of the largest events of an hour still fit their sum.
LARGEST = Decimal(10) ** 12
FINEST = Decimal("1e-12")

#: How a number may be spelled where it comes as text.
NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)

#: How the code of a product is spelled.
PRODUCT_CODE = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)

SECRET_PREFIXES = ("sk-cust-", "sk_live_", "mcs_", "mk_live_")


class ReferenceKind(StrEnum):
    """How an event says whose it is; the first that is given counts."""

    CREDENTIAL = "credential"
    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"
    SUBSCRIBER = "subscriber"


REFERENCE_PREFIX = {
    ReferenceKind.CREDENTIAL: "key",
    ReferenceKind.SUBSCRIPTION: "sub",
    ReferenceKind.CUSTOMER: "cust",
    ReferenceKind.SUBSCRIBER: "subr",
}
FIELDS = frozenset({"transaction_id", "type", "timestamp", "product", "properties", *ReferenceKind})


class InvalidEvent(ValueError):
    """An event that cannot be taken; ``code`` and ``param`` as the API prints them, ``str()`` a sentence."""

    def __init__(self, code: str, param: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.param = param


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """
    A well-formed event; ``content`` is the digest of all that the sender said but the transaction id.

    ``subscriber`` is an id of ours, an e-mail address or what the customer calls the subscriber; ``product`` an id or
    a code. Both are None where nothing is said.
    """

    transaction_id: str
    type: str
    timestamp: datetime
    kind: ReferenceKind
    reference: str
    properties: Mapping[str, Any]
    content: UUID
    subscriber: str | None = None
    product: str | None = None

    @property
    def key(self) -> UUID:
        """What the event is counted once by."""
        return digest_of(self.transaction_id)

    @property
    def named(self) -> str:
        """Whom the event names, as it is kept where that is nobody alive: ``subscription sub_…``."""
        # Case makes no difference to an e-mail address, and usage is reassigned by what it names.
        return f"{self.kind} {self.reference.lower() if '@' in self.reference else self.reference}"

    @property
    def model(self) -> str:
        """The model that was used, for breakdowns; empty where the event names none."""
        return model_of(self.properties)


def parse_event(data: object, *, now: datetime) -> NewEvent:
    """
    Return the event that ``data`` (a JSON object, numbers as ``Decimal`` or ``int``) describes.

    Raises:
        InvalidEvent: a field is missing, unknown or out of its bounds.
    """
    if not isinstance(data, Mapping):
        raise InvalidEvent("invalid_event", "", "An event is an object")
    unknown = sorted(set(data) - FIELDS)
    if unknown:
        raise InvalidEvent("unknown_field", unknown[0], f"Unknown field '{unknown[0]}'")
    properties = data.get("properties", {})
    if not isinstance(properties, Mapping):
        raise InvalidEvent("invalid_properties", "properties", "'properties' is an object")
    kind, reference = _reference(data)
    subscriber, product = _optional(data, ReferenceKind.SUBSCRIBER, _subscriber), _optional(data, "product", _product)
    event_type = _text(data, "type", MAX_TYPE)
    said = data.get("timestamp")
    timestamp = now if said is None else _timestamp(said, now)
    return NewEvent(
        transaction_id=_text(data, "transaction_id", MAX_TRANSACTION_ID),
        type=event_type,
        timestamp=timestamp,
        kind=kind,
        reference=reference,
        subscriber=subscriber,
        product=product,
        properties=properties,
        content=digest_of(
            event_type, None if said is None else timestamp, kind, reference, subscriber, product, properties
        ),
    )


def quantity(value: object) -> Decimal | None:
    """Return a property's number exactly, or None where it is none or too large or fine for our columns."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    # Python reads more spellings as numbers than PostgreSQL does, which has to find the same sums.
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    number = Decimal(value)
    # Neither of these rounds: comparisons are exact, and what is below LARGEST has its 12 decimals within EXACT.
    if not number.is_finite() or number.copy_abs() >= LARGEST:
        return None
    return number if number.quantize(FINEST, context=EXACT) == number else None


def model_of(properties: Mapping[str, Any]) -> str:
    """Return the model that an event names; empty where it names none."""
    model = properties.get("model")
    return model[:MAX_MODEL] if isinstance(model, str) else ""


def tokens_of(properties: Mapping[str, Any]) -> Decimal | None:
    """Return the tokens an event carries: ``tokens``, or ``input_tokens`` plus ``output_tokens``; None without."""
    total = quantity(properties.get("tokens"))
    if total is not None:
        return total
    parts = [quantity(properties.get(name)) for name in ("input_tokens", "output_tokens")]
    found = [part for part in parts if part is not None]
    return sum(found, Decimal(0)) if found else None


def _reference(data: Mapping[str, Any]) -> tuple[ReferenceKind, str]:
    """Return how the event says whose it is, refusing what is no id, and above all a secret."""
    kind = next((kind for kind in ReferenceKind if data.get(kind) is not None), None)
    if kind is None:
        sentence = "An event names a credential, a subscription, a customer or a subscriber"
        raise InvalidEvent("required", "credential", sentence)
    value = data[kind]
    if kind is ReferenceKind.SUBSCRIBER:
        return kind, _subscriber(value)
    _refuse_secret(kind, value)
    if kind is ReferenceKind.CREDENTIAL and isinstance(value, str) and value.startswith("mc_"):
        return kind, value
    return kind, _id(kind, value, REFERENCE_PREFIX[kind])


def _optional(data: Mapping[str, Any], name: str, read: Callable[[object], str]) -> str | None:
    """Return what an event may say, or None."""
    value = data.get(name)
    return None if value is None else read(value)


def _subscriber(value: object) -> str:
    """Return an id of a subscriber, or what may be an e-mail address or the customer's own name of one."""
    name = ReferenceKind.SUBSCRIBER
    _refuse_secret(name, value)
    prefix = REFERENCE_PREFIX[name]
    if isinstance(value, str) and value.startswith(f"{prefix}_"):
        return _id(name, value, prefix)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SUBSCRIBER or not value.isprintable() or value.isspace():
        sentence = f"'{name}' is an id, an e-mail address or a subscriber ID of 1 to {MAX_SUBSCRIBER} characters"
        raise InvalidEvent(f"invalid_{name}", name, sentence)
    return value


def _product(value: object) -> str:
    """Return the id or the code of a product."""
    _refuse_secret("product", value)
    if isinstance(value, str) and len(value) <= MAX_PRODUCT and PRODUCT_CODE.fullmatch(value):
        return value
    raise InvalidEvent("invalid_product", "product", "'product' is the id or the code of a product")


def _refuse_secret(name: str, value: object) -> None:
    if isinstance(value, str) and value.startswith(SECRET_PREFIXES):
        raise InvalidEvent(f"invalid_{name}", name, "An event names a credential by its id, never by its secret")


def _id(name: str, value: object, prefix: str) -> str:
    """Return an id of the kind ``prefix``."""
    try:
        return TypeID.parse(value, prefix)
    except MalformedTypeID as error:
        sentence = f"'{name}' is not an id of the form {prefix}_…"
        raise InvalidEvent(f"invalid_{name}", name, sentence) from error


def _text(data: Mapping[str, Any], name: str, longest: int) -> str:
    """Return a required string of 1 to ``longest`` characters."""
    value = data.get(name)
    if value is None:
        raise InvalidEvent("required", name, f"'{name}' is required")
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
        raise InvalidEvent(f"invalid_{name}", name, f"'{name}' is a string of 1 to {longest} characters")
    return value


def _timestamp(value: object, now: datetime) -> datetime:
    """Return an aware time no more than the clock skew ahead."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidEvent("invalid_timestamp", "timestamp", "'timestamp' is an ISO 8601 time with an offset")
    if moment < EARLIEST:
        raise InvalidEvent("invalid_timestamp", "timestamp", "'timestamp' lies before 1970")
    if moment > now + CLOCK_SKEW:
        raise InvalidEvent("timestamp_in_future", "timestamp", "'timestamp' is more than 5 minutes ahead")
    return moment.astimezone(UTC)
