"""JSON in and out: what is ambiguous is refused, every number is exact."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from catalog.models.product import Audience
from config.api.json import dumps, loads
from config.api.refusals import InvalidBody
from config.kernel.ids import TypeID
from tests.config.api_desk import api

pytestmark = pytest.mark.urls("tests.config.api_desk")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b'{"a": 01}', "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": -Infinity}', "malformed_json"),
        (b'{"a": "\xff"}', "malformed_json"),
        (b'\xef\xbb\xbf{"a": 1}', "malformed_json"),
        ('{"a": "ä"}'.encode("utf-16"), "malformed_json"),
        (b'{"a": "\x00"}', "malformed_json"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (b'{"a": 1e400}', "number_out_of_range"),
        (b'{"a": 1e99999999999999999999}', "number_out_of_range"),
        (b'{"a": 1e-400}', "number_out_of_range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'{"a": 0.' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'{"a": "\\u0000"}', "invalid_text"),
        (b'{"\\u0000": 1}', "invalid_text"),
        (b'{"a": ["\\ud800"]}', "invalid_text"),
        (b'{"\\udc00\\ud800": 1}', "invalid_text"),
        (b"[" * 21 + b"]" * 21, "nesting_too_deep"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "nesting_too_deep"),
        (b"[" * 100_000, "nesting_too_deep"),
    ],
)
def test_a_body_that_is_ambiguous_or_malformed_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InvalidBody) as refusal:
        loads(body)

    assert refusal.value.code == code
    dumps(refusal.value.message)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[" * 20 + b"]" * 20, None),
        (b'{"a":' * 20 + b"1" + b"}" * 20, None),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        (
            b'{"a": 0.1, "b": 10, "c": -0.0, "d": 1.50}',
            {"a": Decimal("0.1"), "b": 10, "c": Decimal(0), "d": Decimal("1.50")},
        ),
        (b'{"a": 1E+2}', {"a": Decimal(100)}),
        (b'"text"', "text"),
        (b"null", None),
    ],
)
def test_the_neighbours_of_what_is_refused_are_taken(body: bytes, value: Any) -> None:
    found = loads(body)

    assert value is None or found == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789eE.+-\\u abc', max_size=60).map(str.encode))
def test_no_bytes_do_anything_but_parse_or_be_refused(body: bytes) -> None:
    try:
        dumps(loads(body))
    except InvalidBody as refusal:
        dumps(refusal.message)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**18), max_value=10**18))
def test_a_decimal_comes_back_as_it_went_out(amount: Decimal) -> None:
    printed = dumps({"amount": amount})

    assert Decimal(loads(printed)["amount"]) == amount
    assert b"e" not in printed.split(b":")[1].lower()


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Decimal("1E+2"), b"100"),
        (Decimal("68.00"), b"68"),
        (Decimal("0.000000000001"), b"0.000000000001"),
        (Decimal("-0.10"), b"-0.1"),
        (datetime(2026, 2, 21, 18, tzinfo=timezone(timedelta(hours=8))), b'"2026-02-21T10:00:00Z"'),
        (datetime(2026, 2, 21, 10, 0, 0, 5, tzinfo=UTC), b'"2026-02-21T10:00:00.000005Z"'),
        (date(2026, 2, 21), b'"2026-02-21"'),
        (TypeID("cust_01h455vb4pex5vsknk084sn02q"), b'"cust_01h455vb4pex5vsknk084sn02q"'),
        (Audience.PARTNER, b'"PARTNER"'),
        ({TypeID("cust_1"): (1, {True})}, b'{"cust_1":[1,[true]]}'),
        (UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (gettext_lazy("ä"), '"ä"'.encode()),
        ((number for number in (1, 2)), b"[1,2]"),
    ],
)
def test_every_value_of_ours_has_one_form(value: Any, printed: bytes) -> None:
    assert dumps(value) == printed


@pytest.mark.parametrize("value", [object(), datetime(2026, 2, 21), b"bytes"])  # noqa: DTZ001
def test_what_has_no_form_is_an_error_of_ours_and_never_a_guess(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps({"value": value})


def test_an_answer_prints_decimals_exactly(db: None) -> None:
    answer = api().get("/v1/numbers")

    assert answer.content == b'{"small":0.000000000001,"large":123456789012345678.12}'


def post(body: bytes, content_type: str = "application/json", **headers: Any) -> Any:
    return api().generic("POST", "/v1/products/quote", body, content_type=content_type, **headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b"[]", "application/json", 400, "invalid_body"),
        (b'"text"', "application/json", 400, "invalid_body"),
        (b"null", "application/json", 400, "invalid_body"),
        (b"1", "application/json", 400, "invalid_body"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{}", "application/json; charset=latin-1", 415, "unsupported_media_type"),
        (b"{}", ";;/", 415, "unsupported_media_type"),
        (b'{"note": "' + b"x" * 2**20 + b'"}', "application/json", 413, "payload_too_large"),
    ],
)
def test_a_body_that_is_no_json_object_of_a_sane_size_is_refused(
    db: None, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = post(body, content_type)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=UTF-8", "Application/JSON"])
def test_json_in_utf_8_is_taken_however_it_is_announced(db: None, content_type: str) -> None:
    answer = post('{"note": "ä"}'.encode(), content_type)

    assert (answer.status_code, answer.json()) == (200, {"note": "ä"})


def test_a_body_of_unknown_length_is_refused_and_not_ignored(db: None) -> None:
    answer = post(b"", HTTP_TRANSFER_ENCODING="chunked")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "length_required")
