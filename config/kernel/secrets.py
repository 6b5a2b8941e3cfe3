"""Secrets that are shown once: handed from the code that makes them to the interface that shows them, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class IssuedSecret:
    """A credential just made, with its secret in clear; lives only in the memory of the request that made it."""

    #: The id of the object the credential was made for: the customer or the subscription.
    owner: str
    credential: str
    kind: str
    name: str
    prefix: str
    last_four: str
    #: The secret fields as the API names them: ``{"key": …}`` or ``{"client_id": …, "client_secret": …}``.
    shown_once: dict[str, str] = field(repr=False)

    @property
    def secrets(self) -> dict[str, str]:
        """Those of the fields that are secret; a client id is shown along with its secret but is public."""
        return {name: value for name, value in self.shown_once.items() if name != "client_id"}


_collector: ContextVar[list[IssuedSecret] | None] = ContextVar("issued_secrets", default=None)


def hand_over(secret: IssuedSecret) -> None:
    """Give ``secret`` to the interface that asked for secrets; where none did, it is forgotten."""
    issued = _collector.get()
    if issued is not None:
        issued.append(secret)


@contextmanager
def issued_secrets() -> Iterator[list[IssuedSecret]]:
    """
    Collect the secrets made inside the block.

    A handler makes the key of a new subscription, yet the page or answer that started it has to show the secret; an
    event is no place for it, because events are logged and sent on.
    """
    issued: list[IssuedSecret] = []
    token = _collector.set(issued)
    try:
        yield issued
    finally:
        _collector.reset(token)
