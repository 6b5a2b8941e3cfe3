"""Access tokens of a Google service account, asked for through the guarded client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from catalog.gateways.failures import Misconfigured, NotAllowed, Unavailable
from catalog.gateways.interface import Connection
from config.kernel.outbound import AddressRefused, Undelivered, call

try:
    from google.auth import exceptions as google_exceptions
    from google.auth import transport
    from google.oauth2 import service_account
except ModuleNotFoundError:  # An installation without Apigee does without the library.
    service_account = None  # type: ignore[assignment]

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
NEEDED = ("client_email", "private_key", "token_uri")
NOT_INSTALLED = "Apigee needs the extra “gcp” of this installation: install it with “uv sync --extra gcp”"


class _Answer:
    """An answer as google-auth reads it."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status, self.headers, self.data = status, headers, data


def _guarded(connection: Connection) -> Any:
    """Return what google-auth sends its requests with."""

    class Guarded(transport.Request):
        def __call__(
            self, url: str, method: str = "GET", body: Any = None, headers: Any = None, timeout: Any = None, **_: Any
        ) -> _Answer:
            content = body.encode() if isinstance(body, str) else body
            answer = call(method, url, headers=headers, content=content, inside=connection.inside)
            return _Answer(answer.status, answer.headers, answer.body)

    return Guarded()


class Tokens:
    """The token of one job; refreshed on demand."""

    def __init__(self, connection: Connection) -> None:
        if service_account is None:
            raise Misconfigured(NOT_INSTALLED)
        self.connection = connection
        self._credentials: Any = None

    def headers(self, *, refresh: bool) -> Mapping[str, str]:
        """
        Return the header that lets in.

        Raises:
            NotAllowed: the key file is none, or Google gives no token for it.
            Unavailable: Google cannot be reached.
        """
        if self._credentials is None:
            self._credentials = self._read()
        if refresh or not self._credentials.token:
            try:
                self._credentials.refresh(_guarded(self.connection))
            except google_exceptions.RefreshError as error:
                raise NotAllowed(f"Google gives no token for this service account: {_reason(error)}") from error
            except google_exceptions.TransportError as error:
                raise Unavailable("Google's token service does not answer as expected") from error
            except AddressRefused as error:
                raise NotAllowed(str(error)) from error
            except Undelivered as error:
                raise Unavailable(str(error)) from error
        return {"Authorization": f"Bearer {self._credentials.token}"}

    def _read(self) -> Any:
        try:
            key = json.loads(self.connection.credentials["service_account"])
            missing = [name for name in NEEDED if not key.get(name)]
            if missing:
                raise NotAllowed(f"The service account's key file has no {missing[0]}")
            return service_account.Credentials.from_service_account_info(key, scopes=SCOPES)  # type: ignore[no-untyped-call]
        except (ValueError, AttributeError, TypeError) as error:
            raise NotAllowed("The service account's key is no JSON key file of Google") from error


def _reason(error: Exception) -> str:
    """Return what Google said, without the answer's body that google-auth adds."""
    return str(error.args[0])[:200] if error.args else "no reason given"
