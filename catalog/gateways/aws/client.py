"""Calls of the AWS API: signed by botocore, sent through the guards of the house, failures sorted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from catalog.gateways.aws import library
from catalog.gateways.client import TRIES, guarded_call, without_secrets
from catalog.gateways.failures import (
    Conflict,
    GatewayFailure,
    Misconfigured,
    NotAllowed,
    ObjectMissing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from catalog.gateways.interface import Connection
from config.kernel.outbound import OutboundAnswer, Undelivered

#: The most that lists give at once.
PAGE = 500
#: How the role is called in the customer's records of who did what.
ROLE_SESSION = "meterdesk"

#: Errors whose status says something else than what has to be done.
BY_CODE: Mapping[str, type[GatewayFailure]] = {
    # An account's number of plans or keys is used up: that has status 429 too, and does not pass.
    "LimitExceededException": Refused,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "RequestLimitExceeded": Throttled,
    "RegionDisabledException": NotAllowed,
}
BY_STATUS: Mapping[int, type[GatewayFailure]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: ObjectMissing,
    409: Conflict,
    412: Conflict,
    429: Throttled,
}
#: A role's credentials last for an hour at least; a job that takes longer gets new ones.
OUTLIVED = frozenset({"ExpiredToken", "ExpiredTokenException"})


class _Outlived(Exception):
    """The role's credentials have run out."""


class AwsClient:
    """API Gateway of one account and region, with the connection's credentials, or the role that they let take on."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._gateway: Any = None

    def call(self, operation: str, *, repeatable: bool | None = None, **parameters: Any) -> dict[str, Any]:
        """
        Call ``operation`` in botocore's words and return the answer.

        A call is tried up to three times where it is ``repeatable`` (by default those that read or delete) and nobody
        answered, or AWS failed by itself.

        Raises:
            GatewayFailure: it did not take effect, or nobody knows.
        """
        again = operation.startswith(("get_", "delete_")) if repeatable is None else repeatable
        retrying = Retrying(
            stop=stop_after_attempt(TRIES if again else 1),
            wait=wait_random_exponential(
                multiplier=self.connection.retry_wait_s[0], max=self.connection.retry_wait_s[1]
            ),
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable)),
            reraise=True,
        )
        answer: dict[str, Any] = retrying(self._as_role, operation, again, parameters)
        return answer

    def pages(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list."""
        position: dict[str, Any] = {}
        seen: set[str] = set()
        while True:
            answer = self.call(operation, limit=PAGE, **parameters, **position)
            yield from answer.get("items") or ()
            following = answer.get("position")
            if not following:
                return
            if following in seen:
                raise UnreadableAnswer("The gateway's list does not come to an end")
            seen.add(following)
            position = {"position": following}

    def _as_role(self, operation: str, again: bool, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call, and once more with new credentials of the role where the old ones have run out."""
        try:
            return self._once(self._connected(), operation, again=again, parameters=parameters)
        except _Outlived:
            self._gateway = None
            return self._once(self._connected(), operation, again=again, parameters=parameters, outlives=False)

    def _connected(self) -> Any:
        if self._gateway is None:
            self._gateway = self._service("apigateway", self._credentials())
        return self._gateway

    def _credentials(self) -> dict[str, str]:
        """Return the credentials to sign with: those of the connection, or of the role that they may take on."""
        given = self.connection.credentials
        own = {
            "aws_access_key_id": given["access_key_id"],
            "aws_secret_access_key": given["secret_access_key"],
            **({"aws_session_token": given["session_token"]} if given.get("session_token") else {}),
        }
        settings = self.connection.settings
        if not settings.get("role_arn"):
            return own
        role = {"RoleArn": settings["role_arn"], "RoleSessionName": ROLE_SESSION}
        if settings.get("external_id"):
            role["ExternalId"] = settings["external_id"]
        assumed = self._once(self._service("sts", own), "assume_role", again=True, parameters=role, outlives=False)
        made = assumed.get("Credentials") or {}
        if not made.get("AccessKeyId") or not made.get("SecretAccessKey"):
            raise UnreadableAnswer("The gateway answers without the credentials of the role")
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made.get("SessionToken", ""),
        }

    def _service(self, name: str, credentials: Mapping[str, str]) -> Any:
        """Return botocore's client of a service, which sends through our guards."""
        made = library.service(
            name,
            region=self.connection.settings["region"],
            host=self.connection.base_url,
            credentials=credentials,
        )
        made.meta.events.register_first("before-send", _Sender(self.connection, is_json=name == "apigateway"))
        return made

    def _once(
        self, service: Any, operation: str, *, again: bool, parameters: Mapping[str, Any], outlives: bool = True
    ) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(service, operation)(**parameters)
        except Undelivered as error:
            kind = Unavailable if again else OutcomeUnknown
            raise kind(self._clean(str(error), parameters)) from error
        except library.sdk.exceptions.ClientError as error:
            if outlives and self.connection.settings.get("role_arn") and error.response["Error"]["Code"] in OUTLIVED:
                raise _Outlived from error
            raise self._failure(error.response, parameters) from error
        except library.sdk.parsers.ResponseParserError as error:
            raise UnreadableAnswer("The gateway's answer cannot be read") from error
        except library.sdk.exceptions.BotoCoreError as error:
            raise Misconfigured(self._clean(str(error), parameters)) from error
        return answer

    def _failure(self, response: Mapping[str, Any], parameters: Mapping[str, Any]) -> GatewayFailure:
        """Return the failure that an error of AWS stands for."""
        meta = response["ResponseMetadata"]
        status, code = int(meta["HTTPStatusCode"]), str(response["Error"].get("Code", ""))
        said = self._clean(str(response["Error"].get("Message") or ""), parameters)
        kind = BY_CODE.get(code) or BY_STATUS.get(status) or _by_range(status)
        return kind(
            f"The gateway answers {status}" + (f": {said}" if said else ""),
            status=status,
            request_id=str(meta.get("RequestId") or "")[:100],
            retry_after_s=_seconds(response.get("retryAfterSeconds") or meta["HTTPHeaders"].get("retry-after")),
        )

    def _clean(self, text: str, parameters: Mapping[str, Any] | None = None) -> str:
        """Cut the text, and cut every secret out of it: ours, and the value of a key that was sent."""
        value = (parameters or {}).get("value")
        return without_secrets(text, [*self.connection.credentials.values(), *([str(value)] if value else [])])


class _Sender:
    """Sends what botocore has signed, in place of botocore's own HTTP, and hands back what was answered."""

    def __init__(self, connection: Connection, *, is_json: bool) -> None:
        self.connection = connection
        self.is_json = is_json

    def __call__(self, request: Any, **_: Any) -> Any:
        headers = {name: _text(value) for name, value in request.headers.items()}
        body = request.body.encode() if isinstance(request.body, str) else request.body
        answer = guarded_call(
            self.connection, request.method, request.url, headers=headers, content=bytes(body) if body else None
        )
        content = self._readable(answer) if self.is_json else answer.body
        return library.sdk.awsrequest.AWSResponse(request.url, answer.status, answer.headers, _Content(content))

    def _readable(self, answer: OutboundAnswer) -> bytes:
        """
        Return the body where it is a JSON object, which botocore would not insist on.

        An error's body that is none is left out, so that nobody's error page gets into a message.
        """
        try:
            is_object = not answer.body.strip() or isinstance(json.loads(answer.body), dict)
        except (ValueError, RecursionError):
            is_object = False
        if is_object:
            return answer.body
        if answer.status < 400:
            kind = answer.headers.get("content-type", "no media type").partition(";")[0][:80]
            raise UnreadableAnswer(
                f"The address answers with {kind} where a JSON object is expected; is it the address of API Gateway?",
                status=answer.status,
            )
        return b""


class _Content(BytesIO):
    """A body as botocore wants to read it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield all of it at once."""
        yield self.read()


def _by_range(status: int) -> type[GatewayFailure]:
    if status >= 500:
        return Unavailable
    return UnreadableAnswer if status < 400 else Refused


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _seconds(said: Any) -> float | None:
    text = str(said or "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
