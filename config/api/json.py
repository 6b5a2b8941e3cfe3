"""JSON in and out: refuses what is ambiguous, keeps every number exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import IO, Any, NoReturn
from uuid import UUID

import msgspec
from django.utils.functional import Promise
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from config.api.refusals import InvalidBody, PayloadTooLarge
from config.kernel.money import plain

MEBIBYTE = 2**20

MAX_DEPTH = 20

#: Longer numbers are no amounts; Python and PostgreSQL would spend much time on them.
MAX_NUMBER_LENGTH = 64
MAX_EXPONENT = 64


class StrictJSONParser(BaseParser):
    """
    Parse UTF-8 JSON into dicts, lists, strings, ints, bools and None; numbers with a point become ``Decimal``.

    The view's ``max_body_bytes`` bounds the body (1 MiB where it has none).
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """
        Return the value that the body spells.

        Raises:
            PayloadTooLarge: the body is longer than the view takes.
            UnsupportedMediaType: the Content-Type names another charset.
            InvalidBody: malformed JSON, a key given twice, a number out of range, or text PostgreSQL cannot keep.
        """
        context = parser_context or {}
        request: Request | None = context.get("request")
        if request is not None:
            refuse_other_charsets(request)
        return loads(read_body(stream, getattr(context.get("view"), "max_body_bytes", MEBIBYTE), request))


def refuse_other_charsets(request: Request) -> None:
    """Raise ``UnsupportedMediaType`` where the Content-Type names a charset other than UTF-8."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip('"').lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(request.content_type)


def read_body(stream: IO[Any], limit: int, request: Request | None) -> bytes:
    """Return the whole body, or raise ``PayloadTooLarge`` before more than ``limit`` bytes are in memory."""
    announced = int(request.META.get("CONTENT_LENGTH") or 0) if request is not None else 0
    if announced > limit:
        raise PayloadTooLarge(limit=limit)
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise PayloadTooLarge(limit=limit)
    return body


def loads(body: bytes) -> Any:
    """
    Return the value that ``body`` spells; see :class:`StrictJSONParser`.

    Raises:
        InvalidBody: it spells none, or one that we refuse.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidBody("malformed_json", f"The body is not UTF-8: byte {error.start} is wrong") from error
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidBody("malformed_json", f"The body is not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise _too_deep() from error
    _check(value, escapes="\\u" in text)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        # set.add returns None, so the key is remembered on the way.
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidBody("duplicate_key", f"The key {printable(twice)} is given twice", param=printable(twice))
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _out_of_range()
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _out_of_range()
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise _out_of_range() from error
    if not value.is_finite() or (value and abs(value.adjusted()) > MAX_EXPONENT):
        raise _out_of_range()
    return value or Decimal(0)


def _constant(name: str) -> NoReturn:
    raise InvalidBody("malformed_json", f"{name} is not a JSON number")


def _out_of_range() -> InvalidBody:
    return InvalidBody("number_out_of_range", f"A number is beyond 1e±{MAX_EXPONENT} or has too many digits")


def _too_deep() -> InvalidBody:
    return InvalidBody("nesting_too_deep", f"The body is nested more than {MAX_DEPTH} levels deep")


def _check(value: Any, *, escapes: bool) -> None:
    """Refuse deep nesting, and NUL and lone surrogates: only an escape can spell those two in valid UTF-8 JSON."""
    level = [value]
    # The values inside the deepest allowed containers are one level further down.
    for depth in range(MAX_DEPTH + 1):
        if depth == MAX_DEPTH and any(isinstance(one, dict | list) for one in level):
            raise _too_deep()
        if escapes:
            for text in (one for one in level if isinstance(one, str)):
                _check_text(text)
        level = [below for one in level for below in _below(one, keys=escapes)]


def _below(value: Any, *, keys: bool) -> list[Any]:
    """Return what a container holds; the keys of an object only on request."""
    if isinstance(value, dict):
        return [*value.values(), *value] if keys else list(value.values())
    return value if isinstance(value, list) else []


def _check_text(text: str) -> None:
    if "\0" in text:
        raise InvalidBody("invalid_text", "A text contains the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidBody("invalid_text", "A text contains half a surrogate pair") from error


def printable(text: str, limit: int = 100) -> str:
    """Return ``text`` cut to ``limit`` characters and safe to encode, for a message that quotes input."""
    short = text if len(text) <= limit else f"{text[:limit]}…"
    return short.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


class ExactJSONRenderer(BaseRenderer):
    """Print decimals as exact JSON numbers without exponent, times as UTC with ``Z``, text as UTF-8."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return ``data`` as JSON; nothing at all for None, which is an answer without body."""
        return b"" if data is None else dumps(data)


def dumps(data: Any) -> bytes:
    """
    Return ``data`` as JSON in UTF-8.

    Raises:
        TypeError: it holds something JSON has no form for, or a time without offset.
    """
    return msgspec.json.encode(_plain(data))


def utc_text(moment: datetime) -> str:
    """Return ``moment`` as ``2026-02-21T10:00:00Z``; microseconds only where it has some."""
    if moment.tzinfo is None:
        raise TypeError(f"{moment!r} has no offset")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _plain(value: Any) -> Any:
    """Return ``value`` in types that the encoder prints as they are."""
    kind = type(value)
    if kind in _PRINTED_AS_IS:
        return value
    if kind is Decimal:
        return msgspec.Raw(format(plain(value), "f").encode())
    if isinstance(value, Mapping):
        return {str.__str__(key) if isinstance(key, str) else str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return _scalar(value)


_PRINTED_AS_IS = frozenset({str, int, bool, float, type(None)})


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value)
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    if hasattr(value, "__iter__") and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


#: First come, first served: a datetime is a date too. An id or a choice is a subclass of str, and the encoder knows
#: only str itself.
_FORMS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (datetime, utc_text),
    ((date, time), lambda value: value.isoformat()),
    ((UUID, Promise), str),
    (int, int),
    (Decimal, lambda value: _plain(Decimal(value))),
)
