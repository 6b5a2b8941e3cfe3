"""Events: what one must look like, and the refusals that name the field."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.ingestion import InvalidEvent, parse_event, quantity
from config.kernel.secrets import issued_secrets
from tests.billing.senders import LATER, UNKNOWN, counted, event, metered, send, statuses

WELL_FORMED = event(customer=UNKNOWN["customer"])
MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"transaction_id": None}, "required", "transaction_id"),
    ({"transaction_id": ""}, "invalid_transaction_id", "transaction_id"),
    ({"transaction_id": "x" * 256}, "invalid_transaction_id", "transaction_id"),
    ({"transaction_id": 5}, "invalid_transaction_id", "transaction_id"),
    ({"type": None}, "required", "type"),
    ({"type": "x" * 101}, "invalid_type", "type"),
    ({"properties": []}, "invalid_properties", "properties"),
    ({"customer": None}, "required", "credential"),
    ({"customer": "cust_x"}, "invalid_customer", "customer"),
    ({"customer": UNKNOWN["subscription"]}, "invalid_customer", "customer"),
    ({"subscription": 5}, "invalid_subscription", "subscription"),
    ({"credential": ["key"]}, "invalid_credential", "credential"),
    ({"customer": None, "product": "chat"}, "required", "credential"),
    ({"subscriber": ""}, "invalid_subscriber", "subscriber"),
    ({"subscriber": "  "}, "invalid_subscriber", "subscriber"),
    ({"subscriber": "a\nb"}, "invalid_subscriber", "subscriber"),
    ({"subscriber": "x" * 256}, "invalid_subscriber", "subscriber"),
    ({"subscriber": "subr_x"}, "invalid_subscriber", "subscriber"),
    ({"subscriber": 17}, "invalid_subscriber", "subscriber"),
    ({"customer": None, "subscriber": ["bob"]}, "invalid_subscriber", "subscriber"),
    ({"product": ""}, "invalid_product", "product"),
    ({"product": "Chat API"}, "invalid_product", "product"),
    ({"product": "x" * 101}, "invalid_product", "product"),
    ({"product": 5}, "invalid_product", "product"),
    ({"weather": "fine"}, "unknown_field", "weather"),
    ({"timestamp": "2026-03-10T12:00:00"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "2026-03-10"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "yesterday"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": 1773144000}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "0001-01-01T00:00:00+14:00"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "1969-12-31T23:59:59Z"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp_in_future", "timestamp"),
    ({"timestamp": (LATER + timedelta(minutes=5, seconds=1)).isoformat()}, "timestamp_in_future", "timestamp"),
]


@pytest.mark.parametrize(("change", "code", "param"), MALFORMED, ids=lambda value: str(value)[:60])
def test_a_malformed_event_is_refused_by_field(change: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        parse_event({**WELL_FORMED, **change}, now=LATER)

    assert (refusal.value.code, refusal.value.param) == (code, param)


FITTING: list[dict[str, Any]] = [
    {},
    {"transaction_id": "x" * 255},
    {"type": "x" * 100},
    {"timestamp": "1970-01-01T00:00:00Z"},
    {"timestamp": "1970-01-01T12:00:00+12:00"},
    {"timestamp": (LATER + timedelta(minutes=5)).isoformat()},
    {"credential": "mc_0123456789abcdef"},
    {"subscriber": "x" * 255},
    {"subscriber": "Zoë Müller"},
    {"customer": None, "subscriber": "bob@acme.com"},
    {"product": "x" * 100},
    {"product": "prod_01h455vb4pex5vsknk084sn02q"},
]


@pytest.mark.parametrize("change", FITTING, ids=lambda value: str(value)[:60])
def test_an_event_on_the_edge_is_taken(change: dict[str, Any]) -> None:
    parse_event({**WELL_FORMED, **change}, now=LATER)


@pytest.mark.parametrize("secret", ["sk-cust-", "sk_live_", "mcs_", "mk_live_"])
@pytest.mark.parametrize("field", ["credential", "subscription", "customer", "subscriber", "product"])
def test_a_secret_is_refused_and_not_repeated(field: str, secret: str) -> None:
    value = f"{secret}0123456789abcdef0123456789abcdef"

    with pytest.raises(InvalidEvent) as refusal:
        parse_event({**WELL_FORMED, field: value}, now=LATER)

    assert refusal.value.code == f"invalid_{field}"
    assert value not in str(refusal.value)


NUMBERS: list[tuple[object, Decimal | None]] = [
    (5, Decimal(5)),
    ("5.50", Decimal("5.50")),
    (Decimal("1E+2"), Decimal(100)),
    (Decimal("1e-12"), Decimal("1e-12")),
    (Decimal("999999999999.999999999999"), Decimal("999999999999.999999999999")),
    (-3, Decimal(-3)),
    (Decimal("1e-13"), None),
    (Decimal("123456789012.1234567890123"), None),
    (10**12, None),
    ("1e999999", None),
    ("1e-999999", None),
    ("NaN", None),
    ("sNaN", None),
    ("-Infinity", None),
    ("five", None),
    (True, None),
    (0.5, None),
    (None, None),
    ([], None),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=repr)
def test_a_quantity_is_what_the_columns_keep_exactly(value: object, number: Decimal | None) -> None:
    assert quantity(value) == number


@pytest.mark.django_db
def test_a_secret_of_a_live_key_is_refused_too() -> None:
    with issued_secrets() as issued:
        metered()

    assert statuses(send(event(credential=issued[0].shown_once["key"]))) == ["invalid_credential"]
    assert counted() == (0, 0, 0)
