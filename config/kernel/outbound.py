"""
Calls to addresses that others name: the one HTTP client of the house, which cannot be led inside.

Every address that a name stands for is checked, and then dialled as it was checked, so a name that means something else
a moment later changes nothing. Redirects are not followed, proxies of the environment are not used, and the deadline is
that of the whole call.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx
from django.conf import settings

from config.kernel.addresses import is_public, is_within

MEBIBYTE = 2**20

#: Names that mean something inside only.
LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "corp", "home", "home.arpa")

#: What a host can be called (RFC 1123, and the underscore that some use), in ASCII.
NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z", re.ASCII)

#: A last label that resolvers read as a number, in whatever base: then the whole host is an address.
NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE | re.ASCII)


class Undelivered(Exception):
    """A call that came to nothing; ``str()`` says why, in words for operators."""


class AddressRefused(Undelivered):
    """The address is not one that we call."""


class Unreachable(Undelivered):
    """Nobody answers there, or what answers does not speak HTTP."""


class TookTooLong(Undelivered):
    """The deadline came before the end of the answer."""


class AnswerTooLarge(Undelivered):
    """The answer is longer than we take."""


@dataclass(frozen=True, kw_only=True)
class OutboundAnswer:
    """What was answered, whatever the status; a redirect is an answer like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Networks:
    """Which addresses may be called: the public ones and those ``allowed``, or those of ``only`` where it is given."""

    allowed: Sequence[str] = ()
    only: Sequence[str] = ()

    def check(self, addresses: Iterable[str]) -> None:
        """
        Let pass what may be called.

        Raises:
            AddressRefused: one of the addresses may not, whatever the others are.
        """
        for address in addresses:
            if not is_public(address, allowed=self.allowed):
                raise AddressRefused(f"The URL leads to {address}, which is not on the public internet")
            if self.only and not is_within(address, self.only):
                raise AddressRefused(f"The URL leads to {address}, which is called with https only")


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    deadline_s: float = 30.0,
    largest_body: int = MEBIBYTE,
    inside: Sequence[str] = (),
) -> OutboundAnswer:
    """
    Call ``url`` and return the answer, of at most ``largest_body`` bytes, within ``deadline_s`` seconds.

    The networks ``inside`` may be called besides, also without TLS.

    Raises:
        AddressRefused, Unreachable, TookTooLong, AnswerTooLarge: there is no answer.
    """
    check_url(url, inside=inside)
    # Without TLS only into the networks for which that is allowed.
    is_plain = url.lower().startswith("http://") and not settings.OUTBOUND_ALLOW_HTTP
    networks = Networks(allowed=(*settings.OUTBOUND_ALLOWED_NETWORKS, *inside), only=tuple(inside) if is_plain else ())
    # What is compressed could unpack to any size.
    sent = {"User-Agent": "Meterdesk", "Accept-Encoding": "identity", **(headers or {})}
    transport = GuardedTransport(until=time.monotonic() + deadline_s, networks=networks)
    try:
        with (
            httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=deadline_s) as client,
            client.stream(method, url, headers=sent, content=content) as response,
        ):
            return OutboundAnswer(
                status=response.status_code, headers=dict(response.headers), body=_body(response, largest_body)
            )
    except httpx.TimeoutException as error:
        raise TookTooLong("The answer took too long") from error
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
        raise Unreachable(f"The address cannot be reached: {error}") from error


def check_url(url: str, *, inside: Sequence[str] = ()) -> None:
    """
    Refuse what can be refused without asking the network: other schemes, secrets, addresses and names inside.

    The networks ``inside`` may be called besides, also without TLS.

    Raises:
        AddressRefused: ``url`` is none that we call.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressRefused(f"This is no URL: {error}") from error
    schemes = ("https", "http") if settings.OUTBOUND_ALLOW_HTTP or inside else ("https",)
    if parsed.scheme not in schemes:
        raise AddressRefused(f"The URL must begin with {' or '.join(f'{one}://' for one in schemes)}")
    if parsed.userinfo:
        raise AddressRefused("The URL must not hold a user name or password")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise AddressRefused("The URL's port is none")
    allowed = (*settings.OUTBOUND_ALLOWED_NETWORKS, *inside)
    _check_host(parsed.raw_host.decode().rstrip(".").lower(), Networks(allowed=allowed))


def _check_host(host: str, networks: Networks) -> None:
    if not host:
        raise AddressRefused("The URL names no host")
    try:
        ip_address(host)
    except ValueError:
        _check_name(host, networks)
    else:
        networks.check([host])


def _check_name(host: str, networks: Networks) -> None:
    """Refuse addresses in disguise, and names that mean something inside only where nothing inside is allowed."""
    if not NAME.match(host):
        raise AddressRefused("The URL's host is no name")
    if NUMERIC.match(host.rpartition(".")[2]):
        raise AddressRefused("The URL's host must be a name, or an address in its usual form")
    is_local = "." not in host or any(host == name or host.endswith(f".{name}") for name in LOCAL_NAMES)
    if is_local and not networks.allowed:
        raise AddressRefused("The URL's host is a name of a local network")


def _body(response: httpx.Response, largest: int) -> bytes:
    announced = response.headers.get("Content-Length", "")
    parts, size = [], int(announced) if announced.isascii() and announced.isdigit() else 0
    if size <= largest:
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > largest:
                break
            parts.append(part)
    if size > largest:
        raise AnswerTooLarge(f"The answer is larger than {largest // MEBIBYTE} MiB")
    return b"".join(parts)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class GuardedTransport(httpx.HTTPTransport):
    """httpx's own transport over sockets that lead to checked addresses only, until a moment of the monotonic clock."""

    def __init__(self, *, until: float, networks: Networks) -> None:
        super().__init__(verify=_trusted(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(),
            max_connections=1,
            network_backend=GuardedSockets(until=until, networks=networks),
        )


class Deadline:
    """What has to be done by a moment of the monotonic clock."""

    def __init__(self, *, until: float) -> None:
        self.until = until

    def left(self) -> float:
        """Return how many seconds are left; raises :class:`TookTooLong` where there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TookTooLong("The answer took too long")
        return left


class GuardedSockets(Deadline, httpcore.NetworkBackend):
    """Opens connections to addresses that may be called."""

    def __init__(self, *, until: float, networks: Networks) -> None:
        super().__init__(until=until)
        self.networks = networks

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """
        Return a connection to the first address of ``host`` that takes one.

        Raises:
            AddressRefused: one of the addresses is not public, whatever the others are.
        """
        addresses = self._resolved(host, port)
        self.networks.check(addresses)
        failure: Exception | None = None
        for address in addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, timeout=self.left(), local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return GuardedStream(stream, until=self.until)
        raise Unreachable(f"{host} cannot be reached: {failure}")

    def _resolved(self, host: str, port: int) -> list[str]:
        """Return the addresses of ``host``; the resolver has no time limit of its own."""
        pool = ThreadPoolExecutor(1)
        try:
            found = pool.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(self.left())
        except TimeoutError as error:
            raise TookTooLong(f"The name {host} took too long to look up") from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"The name {host} is not known") from error
        finally:
            pool.shutdown(wait=False)
        return list(dict.fromkeys(str(one[4][0]) for one in found))


class GuardedStream(Deadline, httpcore.NetworkStream):
    """A connection on which every wait ends by the deadline of the whole."""

    def __init__(self, stream: httpcore.NetworkStream, *, until: float) -> None:
        super().__init__(until=until)
        self.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, at most ``max_bytes``."""
        return self.stream.read(max_bytes, self.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send ``buffer``."""
        self.stream.write(buffer, self.left())

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection with TLS on it; the certificate has to be that of the name that was asked for."""
        return GuardedStream(self.stream.start_tls(ssl_context, server_hostname, self.left()), until=self.until)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore wants to know of the socket."""
        return self.stream.get_extra_info(info)
