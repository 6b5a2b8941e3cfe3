"""HTTP with a gateway: guarded, bounded, tried again where that is safe, and with one word for each kind of failure."""

from __future__ import annotations

import json as json_codec
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from catalog.gateways.failures import (
    Conflict,
    GatewayFailure,
    NotAllowed,
    ObjectMissing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from catalog.gateways.interface import Connection
from config.kernel.outbound import AddressRefused, AnswerTooLarge, OutboundAnswer, Undelivered, call

#: Calls of one try and its repetitions.
TRIES = 3
DEADLINE_S = 30.0
LARGEST_ANSWER = 5 * 2**20
#: Methods that mean the same when they are sent twice.
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
LONGEST_MESSAGE = 300
#: What the keys and client secrets of customers look like.
ISSUED = re.compile(r"\b(?:sk_live_|sk-cust-|mcs_)[0-9A-Za-z]{8,}")

Query = Sequence[tuple[str, str]]


class _TryAgain(Exception):
    """A call that may be repeated at once; carries what to raise where all repetitions fail too."""

    def __init__(self, failure: GatewayFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a gateway answered: ``json`` is None where the body is empty."""

    status: int
    headers: Mapping[str, str]
    json: Any = None
    text: str = field(default="", repr=False)


def plain_message(body: Any) -> str:
    """Return what most gateways say in an error: ``message``, or ``error.message``."""
    if isinstance(body, Mapping):
        error = body.get("error")
        if isinstance(error, Mapping):
            return str(error.get("message", ""))
        return str(body.get("message") or body.get("error_description") or error or "")
    return ""


def nobody_asks(*, refresh: bool) -> Mapping[str, str]:
    """Return no headers, for gateways that let in by network alone."""
    return {}


def by_status(answer: Answer) -> type[GatewayFailure] | None:
    """Leave the sorting to the status of the answer."""
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how long to wait in seconds, as ``Retry-After`` says it; a date is measured by the server's own clock."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (TypeError, ValueError):
        return None


class Authorize(Protocol):
    """Returns the headers that let in."""

    def __call__(self, *, refresh: bool) -> Mapping[str, str]:
        """Return them; after a 401 with ``refresh``, and then nothing where there is nothing newer."""


@dataclass(kw_only=True)
class GatewayClient:
    """
    Calls below ``base_url`` with the connection's guards and the adapter's own headers and reading of errors.

    ``authorize`` returns the headers that let in; it is asked before every call, and once more after a 401 to refresh
    a token that has run out, where it can (else it returns none).
    """

    connection: Connection
    base_url: str
    authorize: Authorize = nobody_asks
    message_of: Callable[[Any], str] = plain_message
    #: Lets an adapter sort a vendor's peculiar answers; None leaves it to the status.
    sort: Callable[[Answer], type[GatewayFailure] | None] = by_status
    throttled_statuses: frozenset[int] = frozenset({429})
    #: Reads from the headers of a refusal how long to wait, in seconds.
    retry_after_of: Callable[[Mapping[str, str]], float | None] = retry_after
    #: Headers in which the vendor names a request, first found.
    request_id_headers: tuple[str, ...] = ("x-request-id", "x-correlation-request-id", "x-kong-request-id")
    #: What has let us in, tokens that were made of the credentials among it.
    _let_in: set[str] = field(default_factory=set, init=False, repr=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Iterable[int] = (200, 201, 202, 204),
        missing: bool = False,
        repeatable: bool | None = None,
    ) -> Answer | None:
        """
        Call and return the answer; with ``missing`` a 404 is None.

        A call is tried up to three times where it is ``repeatable`` (by default those that mean the same when sent
        twice) and nobody answered, or the gateway failed by itself.

        Raises:
            GatewayFailure: there is no answer among the statuses ``expect``; its class says what to do.
        """
        again = method in REPEATABLE if repeatable is None else repeatable
        retrying = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(
                multiplier=self.connection.retry_wait_s[0], max=self.connection.retry_wait_s[1]
            ),
            retry=retry_if_exception_type(_TryAgain),
            reraise=True,
        )
        content = _content(json, form)
        sent = {"Accept": "application/json", **_media_type(json, form), **(headers or {})}
        try:
            answer: OutboundAnswer = retrying(self._once, method, self._url(path, query), sent, content, again)
        except _TryAgain as error:
            raise error.failure from error
        if missing and answer.status == 404:
            return None
        if answer.status not in set(expect):
            raise self._failure(self._read(answer, strict=False))
        return self._read(answer, strict=True)

    def _once(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None, again: bool
    ) -> OutboundAnswer:
        answer = self._sent(method, url, {**headers, **self._authorized(refresh=False)}, content, again)
        if answer.status == 401:
            renewed = self._authorized(refresh=True)
            if renewed:
                answer = self._sent(method, url, {**headers, **renewed}, content, again)
        if answer.status >= 500 and again:
            failure = self._failure(self._read(answer, strict=False))
            if not isinstance(failure, Throttled):
                raise _TryAgain(failure)
        return answer

    def _authorized(self, *, refresh: bool) -> Mapping[str, str]:
        """Return the headers that let in, and remember them, so that no gateway's words can carry them on."""
        headers = self.authorize(refresh=refresh)
        self._let_in |= {value.rpartition(" ")[2] for value in headers.values()}
        return headers

    def _sent(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None, again: bool
    ) -> OutboundAnswer:
        try:
            return guarded_call(self.connection, method, url, headers=headers, content=content)
        except Undelivered as error:
            if again:
                raise _TryAgain(Unavailable(self._clean(str(error)))) from error
            raise OutcomeUnknown(self._clean(str(error))) from error

    def _url(self, path: str, query: Query) -> str:
        """Return the whole address; one that a server named has to stay on the same host."""
        if path.startswith(("http://", "https://")):
            if urlsplit(path)[:2] != urlsplit(self.base_url)[:2]:
                raise UnreadableAnswer("The gateway points to a further page on another host, which is not followed")
            url = path
        else:
            url = f"{self.base_url.rstrip('/')}{path}"
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url

    def _read(self, answer: OutboundAnswer, *, strict: bool) -> Answer:
        """Parse the body; ``strict`` refuses one that is no JSON."""
        text = answer.body.decode("utf-8", errors="replace")
        parsed = None
        try:
            parsed = json_codec.loads(text) if text.strip() else None
        except (ValueError, RecursionError) as error:
            if strict:
                kind = answer.headers.get("content-type", "no media type").partition(";")[0][:80]
                raise UnreadableAnswer(
                    f"The address answers with {kind} where JSON is expected; is it the admin address of the gateway?",
                    status=answer.status,
                ) from error
        return Answer(status=answer.status, headers=answer.headers, json=parsed, text=text)

    def _failure(self, answer: Answer) -> GatewayFailure:
        """Return the failure that an answer stands for."""
        said = self._clean(self.message_of(answer.json)) if answer.json is not None else ""
        request_id = next((answer.headers[one] for one in self.request_id_headers if one in answer.headers), "")[:100]
        kind = self.sort(answer) or self._kind(answer)
        sentence = f"The gateway answers {answer.status}" + (f": {said}" if said else "")
        return kind(
            sentence, status=answer.status, request_id=request_id, retry_after_s=self.retry_after_of(answer.headers)
        )

    def _kind(self, answer: Answer) -> type[GatewayFailure]:
        if answer.status in self.throttled_statuses:
            return Throttled
        if answer.status in (401, 403):
            return NotAllowed
        if answer.status == 404:
            return ObjectMissing
        if answer.status in (409, 412):
            return Conflict
        if answer.status >= 500:
            return Unavailable
        return UnreadableAnswer if answer.status < 400 else Refused

    def _clean(self, text: str) -> str:
        return without_secrets(text, [*self.connection.credentials.values(), *self._let_in])


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Cut ``text`` to what fits into a sentence, and cut every secret out of it, those that we issue among them."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "…")
    return ISSUED.sub("…", text)[:LONGEST_MESSAGE]


def guarded_call(
    connection: Connection, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None
) -> OutboundAnswer:
    """
    Call within the connection's guards and the bounds of all gateways.

    Raises:
        NotAllowed, UnreadableAnswer: the address is none that we call, or the answer is longer than we take.
        Undelivered: nobody answers.
    """
    try:
        return call(
            method,
            url,
            headers=headers,
            content=content,
            deadline_s=DEADLINE_S,
            largest_body=LARGEST_ANSWER,
            inside=connection.inside,
        )
    except AddressRefused as error:
        raise NotAllowed(str(error)) from error
    except AnswerTooLarge as error:
        raise UnreadableAnswer(str(error)) from error


def _content(json: Any, form: Mapping[str, str] | None) -> bytes | None:
    if form is not None:
        return urlencode(form).encode()
    return None if json is None else json_codec.dumps(json).encode()


def _media_type(json: Any, form: Mapping[str, str] | None) -> dict[str, str]:
    if form is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}
    return {} if json is None else {"Content-Type": "application/json"}
