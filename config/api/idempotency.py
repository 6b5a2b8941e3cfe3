"""
Idempotency keys: a POST that is sent again has its effect once and gets the same answer.

The record is written in the transaction of the effect, so there is never one without the other. Kept are successes
and the domain's conflicts (409), which came out of executing the request. A request that was never executed (malformed,
unauthenticated, too many, an unknown object) and a failure of ours (5xx) leave the key free.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.json import dumps
from config.api.models import MAX_KEY_LENGTH, IdempotencyRecord
from config.api.refusals import IdempotencyKeyInUse, IdempotencyKeyReused, InvalidRequest

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
KEPT_HEADERS = ("Location", "ETag")


def key_of(request: Request) -> str | None:
    """
    Return the key of a POST, None where it has none.

    Raises:
        InvalidRequest: it is empty, longer than 255 characters or not visible ASCII (``invalid_idempotency_key``).
    """
    key: str | None = request.headers.get(HEADER)
    if request.method != "POST" or key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or not all(" " <= character <= "~" for character in key):
        reason = f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} visible ASCII characters"
        raise InvalidRequest("invalid_idempotency_key", reason, param=HEADER)
    return key


def fingerprint(request: Request) -> str:
    """Return the digest that two requests share exactly when they ask for the same; the order of JSON keys is none."""
    body = json.dumps(request.data, sort_keys=True, default=str)
    asked = "\n".join([request.method or "", request.get_full_path(), request.content_type or "", body])
    return salted_hmac("config.api.idempotency", asked, algorithm="sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Once:
    """One caller's key for one request."""

    caller: str
    key: str
    fingerprint: str
    request_id: str
    now: datetime

    def answer(self, execute: Callable[[], Response], hide: Callable[[Any], Any]) -> Response:
        """
        Return the kept answer, or that of ``execute``, which runs in the same transaction as the record.

        ``hide`` returns the answer's data without secrets; only that is kept.

        Raises:
            IdempotencyKeyInUse: a request with this key is running.
            IdempotencyKeyReused: the key stands for another request.
        """
        with transaction.atomic():
            self._claim("pg_try_advisory_xact_lock")
            kept = self._kept()
            if kept is not None:
                return self._replay(kept)
            response = execute()
            if response.status_code < 400 or response.status_code == 409:
                self._keep(response, hide)
            return response

    def answer_apart(self, execute: Callable[[], Response], hide: Callable[[Any], Any]) -> Response:
        """
        Return the kept answer, or that of ``execute``, which runs in no transaction because it asks the network.

        A process that dies in between leaves the key free, so that the same request is executed once more.

        Raises:
            IdempotencyKeyInUse, IdempotencyKeyReused: as in :meth:`answer`.
        """
        self._claim("pg_try_advisory_lock")
        try:
            kept = self._kept()
            if kept is not None:
                return self._replay(kept)
            response = execute()
            if response.status_code < 400 or response.status_code == 409:
                self._keep(response, hide)
            return response
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [self._lock])

    @property
    def _lock(self) -> int:
        digest = hashlib.sha256(f"{self.caller}\n{self.key}".encode()).digest()
        return int.from_bytes(digest[:8], byteorder="big", signed=True)

    def _claim(self, function: str) -> None:
        """Hold the key as long as ``function`` does; a second request is refused, for waiting would block a worker."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [self._lock])
            if not cursor.fetchone()[0]:
                raise IdempotencyKeyInUse

    def _kept(self) -> IdempotencyRecord | None:
        return IdempotencyRecord.objects.filter(caller=self.caller, key=self.key, expires_at__gt=self.now).first()

    def _replay(self, kept: IdempotencyRecord) -> Response:
        if kept.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        data: Any = json.loads(kept.body, parse_float=Decimal) if kept.body else None
        if kept.status >= 400:
            # The rest of the body is as it was; this names the request that the integrator asks about now.
            data["error"]["request_id"] = self.request_id
        return Response(data, status=kept.status, headers={**kept.headers, REPLAYED: "true"})

    def _keep(self, response: Response, hide: Callable[[Any], Any]) -> None:
        if not isinstance(response, Response):
            raise TypeError("Only a JSON answer can be kept for its idempotency key")
        IdempotencyRecord.objects.bulk_create(
            [
                IdempotencyRecord(
                    caller=self.caller,
                    key=self.key,
                    fingerprint=self.fingerprint,
                    status=response.status_code,
                    headers={name: response[name] for name in KEPT_HEADERS if name in response},
                    body="" if response.data is None else dumps(hide(response.data)).decode(),
                    created_at=self.now,
                    expires_at=self.now + KEPT,
                )
            ],
            # The claim keeps rivals away, so a row in the way is one that has expired.
            update_conflicts=True,
            unique_fields=["caller", "key"],
            update_fields=["fingerprint", "status", "headers", "body", "created_at", "expires_at"],
        )


def without_secrets(data: Any, fields: Iterable[str], values: Iterable[str]) -> Any:
    """
    Return ``data`` as a replay shows it: secrets null, and ``secret_already_shown`` beside each.

    ``fields`` are dotted paths (``credential.key``); lists on the way are gone through. ``values`` are secrets handed
    over while the request ran: they are hidden wherever they stand, in case a view forgot to declare a field.
    """
    paths = {tuple(path.split(".")) for path in fields}
    return _hidden(data, paths, frozenset(values))


def _hidden(data: Any, paths: set[tuple[str, ...]], values: frozenset[str]) -> Any:
    if isinstance(data, list | tuple):
        return [_hidden(one, paths, values) for one in data]
    if not isinstance(data, dict):
        return data
    kept: dict[str, Any] = {}
    shown = False
    for name, value in data.items():
        below = {path[1:] for path in paths if path[0] == name and len(path) > 1}
        is_secret = ((name,) in paths and value is not None) or (isinstance(value, str) and value in values)
        kept[name] = None if is_secret else _hidden(value, below, values)
        shown = shown or is_secret
    return {**kept, "secret_already_shown": True} if shown else kept
