"""Pages of lists: ``limit`` and ``offset``, or a cursor that reaches any depth in the same time."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.refusals import InvalidRequest
from config.kernel.counting import EXACT_TOTAL, count_or_estimate

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_OFFSET = 10**9
MAX_CURSOR_LENGTH = 200

INTEGER = re.compile("[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a page begins: after the row of this time and id, which was the ``offset``-th."""

    moment: str
    pk: str
    offset: int

    def encode(self) -> str:
        """Return it as the opaque cursor."""
        packed = json.dumps([self.moment, self.pk, self.offset], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def decode(cls, cursor: str) -> Position:
        """
        Return the position that a cursor of ours spells.

        Raises:
            InvalidRequest: it is none (``invalid_cursor``).
        """
        try:
            if len(cursor) > MAX_CURSOR_LENGTH:
                raise ValueError("too long")
            packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            moment, pk, offset = json.loads(packed)
            if datetime.fromisoformat(moment).tzinfo is None:
                raise ValueError("no offset")
        except (binascii.Error, ValueError, TypeError) as error:
            raise _invalid("cursor", "is not one that a list of ours gave") from error
        if not isinstance(pk, str) or type(offset) is not int or not 0 <= offset <= MAX_OFFSET:
            raise _invalid("cursor", "is not one that a list of ours gave")
        return cls(moment=moment, pk=pk, offset=offset)


def _invalid(param: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"invalid_{param}", f"The {param} {what}", param=param)


class LimitOffset(BasePagination):
    """
    Answer ``{"data", "pagination": {"total", "limit", "offset", "has_more", "next_cursor"}}``.

    Query sets of models with ``cursor_field`` are ordered newest first and take ``cursor``; other sequences are paged
    as they come. A view orders by another time by setting ``cursor_field``, or by its own with ``cursor_field = None``.
    """

    parameters = ("limit", "offset", "cursor")

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """
        Return the rows of the page that ``request`` asks for.

        Raises:
            InvalidRequest: ``invalid_limit``, ``invalid_offset`` or ``invalid_cursor``.
        """
        self.limit = self._integer(request, "limit", default=DEFAULT_LIMIT, lowest=1, highest=MAX_LIMIT)
        self.offset = self._integer(request, "offset", default=0, lowest=0, highest=MAX_OFFSET)
        self.cursor_field: str | None = getattr(view, "cursor_field", "created_at")
        self.total, self.is_estimate = _total(queryset)
        cursor = request.query_params.get("cursor")
        rows = self._after(queryset, cursor, request) if cursor is not None else self._from_offset(queryset)
        page, self.has_more = rows[: self.limit], len(rows) > self.limit
        self.next_cursor = self._next(page) if self.has_more else None
        if self.is_estimate:
            self.total = max(self.total, self.offset + len(page) + self.has_more)
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the answer for the page's serialized rows."""
        pagination = {
            "total": self.total,
            "limit": self.limit,
            "offset": self.offset,
            "has_more": self.has_more,
            "next_cursor": self.next_cursor,
        }
        if self.is_estimate:
            pagination["total_is_estimate"] = True
        return Response({"data": data, "pagination": pagination})

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Return the query parameters as OpenAPI describes them."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        offset = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}
        described = [
            ("limit", limit, "How many objects a page has at most."),
            ("offset", offset, "How many objects to skip."),
            ("cursor", {"type": "string"}, "“next_cursor” of the page before; goes without offset."),
        ]
        return [
            {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
            for name, schema, description in described
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page of objects of ``schema`` as OpenAPI describes it."""
        pagination = {
            "total": {"type": "integer", "minimum": 0, "description": f"Exact up to {EXACT_TOTAL}."},
            "limit": {"type": "integer"},
            "offset": {"type": "integer"},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
        }
        flag = {"total_is_estimate": {"type": "boolean", "const": True}}
        page = {"type": "object", "required": list(pagination), "properties": {**pagination, **flag}}
        return {
            "type": "object",
            "required": ["data", "pagination"],
            "properties": {"data": schema, "pagination": page},
        }

    @staticmethod
    def _integer(request: Request, name: str, *, default: int, lowest: int, highest: int) -> int:
        text = request.query_params.get(name)
        if text is None:
            return default
        if not INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
            raise _invalid(name, f"must be an integer between {lowest} and {highest}")
        return int(text)

    def _has_cursor(self, queryset: Any) -> bool:
        if not isinstance(queryset, QuerySet) or self.cursor_field is None:
            return False
        # values() rows carry no primary key to go on from.
        return queryset._fields is None and any(  # type: ignore[attr-defined]
            field.name == self.cursor_field for field in queryset.model._meta.get_fields()
        )

    def _from_offset(self, queryset: Any) -> list[Any]:
        if self._has_cursor(queryset):
            queryset = queryset.order_by(f"-{self.cursor_field}", "-pk")
        return list(queryset[self.offset : self.offset + self.limit + 1])

    def _after(self, queryset: Any, cursor: str, request: Request) -> list[Any]:
        if not self._has_cursor(queryset) or "offset" in request.query_params:
            raise _invalid("cursor", "goes without an offset, and only with lists that gave one")
        position = Position.decode(cursor)
        self.offset = position.offset
        by, at = self.cursor_field, datetime.fromisoformat(position.moment)
        try:
            later = queryset.filter(
                # The first condition is implied by the second, but alone gives the index its range.
                Q(**{f"{by}__lte": at}),
                Q(**{f"{by}__lt": at}) | Q(**{by or "": at, "pk__lt": position.pk}),
            )
        except (ValidationError, ValueError) as error:
            raise _invalid("cursor", "is not one that this list gave") from error
        return list(later.order_by(f"-{by}", "-pk")[: self.limit + 1])

    def _next(self, page: list[Any]) -> str | None:
        last = page[-1]
        moment = getattr(last, self.cursor_field or "", None)
        if not isinstance(moment, datetime):
            return None
        return Position(moment=moment.isoformat(), pk=str(last.pk), offset=self.offset + len(page)).encode()


def _total(rows: QuerySet[Any] | Sequence[Any]) -> tuple[int, bool]:
    """Return how many rows there are, and whether that is an estimate."""
    return count_or_estimate(rows) if isinstance(rows, QuerySet) else (len(rows), False)
