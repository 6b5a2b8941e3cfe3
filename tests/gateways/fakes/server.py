"""What the small gateways share: HTTP on loopback, the vendor's specification as judge, faults on demand."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from tests.gateways.contract import Answered, Contract, Sent

Route = Callable[..., "Answered"]


@dataclass
class Fault:
    """
    Something that goes wrong with the next ``times`` calls whose method and path fit ``at`` (``"PUT /plugins"``).

    ``status`` answers so instead; ``effect`` lets the call take effect all the same. Without a status nothing is
    answered: the connection is ``lost`` or ``silent`` until the caller gives up.
    """

    at: str
    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    effect: bool = False
    silent_s: float = 0.0

    def fits(self, sent: Sent) -> bool:
        """Tell whether the call is one of those."""
        return self.times > 0 and re.match(self.at, f"{sent.method} {sent.path}") is not None


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Mark a method of a fake as the answer to ``method`` on paths of the whole ``pattern``, whose groups it takes."""

    def mark(function: Route) -> Route:
        function.route = (method, re.compile(f"{pattern}\\Z"))  # type: ignore[attr-defined]
        return function

    return mark


def answer(status: int, body: Any = None, **headers: str) -> Answered:
    """Return an answer in JSON; without a body it is empty."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return Answered(status, named)
    return Answered(status, {"Content-Type": "application/json", **named}, json.dumps(body).encode())


class FakeGateway:
    """
    A gateway with a state; subclasses have the routes.

    ``exchanges`` is all that was said, ``violations`` what of it the vendor's specification does not allow. Only what
    the gateway itself answered is held to the specification: an injected fault is none of the vendor's words, and a
    request that was refused may be wrong.
    """

    contract: ClassVar[Contract]
    #: What stands in the address before the paths of the specification.
    prefix: ClassVar[str] = ""

    def __init__(self) -> None:
        self.exchanges: list[tuple[Sent, Answered]] = []
        self.violations: list[str] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()
        #: Set, it ends every silence.
        self.wake = threading.Event()
        self.port = 0

    @property
    def base_url(self) -> str:
        """The address that a connection has to name."""
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> Iterator[tuple[str, re.Pattern[str], Route]]:
        """Yield every route."""
        for name in dir(type(self)):
            marked = getattr(getattr(type(self), name), "route", None)
            if marked is not None:
                yield (*marked, getattr(self, name))

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Return the refusal of a request that may not come in; None lets it in."""
        return None

    def unknown(self, sent: Sent) -> Answered:
        """Return what the gateway says of a path it does not know."""
        return answer(404, {"message": "Not found"})

    def judged(self, sent: Sent) -> bool:
        """Tell whether the specification speaks for this request."""
        return True

    def respond(self, sent: Sent) -> Answered | None:
        """Answer, with the faults that were asked for; None loses the connection."""
        with self.lock:
            fault = next((one for one in self.faults if one.fits(sent)), None)
            if fault is not None:
                fault.times -= 1
            if fault is None or fault.effect:
                answered = self._own(sent)
                self._judge(sent, answered)
            if fault is not None:
                answered = Answered(fault.status or 0, fault.headers, fault.body)
            self.exchanges.append((sent, answered))
        if fault is not None and fault.silent_s:
            self.wake.wait(fault.silent_s)
        return answered if fault is None or fault.status is not None else None

    def requests(self, *methods: str) -> list[Sent]:
        """Return what was asked, of these methods or of all."""
        return [sent for sent, _ in self.exchanges if not methods or sent.method in methods]

    def _own(self, sent: Sent) -> Answered:
        refused = self.unauthorized(sent)
        if refused is not None:
            return refused
        path = sent.path.removeprefix(self.prefix)
        for method, pattern, function in self.routes():
            found = pattern.match(path)
            if found and method == sent.method:
                return function(sent, *found.groups())
        return self.unknown(sent)

    def _judge(self, sent: Sent, answered: Answered) -> None:
        if self.judged(sent):
            target = sent.target.removeprefix(self.prefix)
            shown = Sent(sent.method, target, sent.headers, sent.body)
            self.violations += self.contract.violations(shown, answered, request_too=answered.status < 400)


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to the fake and sends what it answers."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        """Read one request and answer it, or lose the connection."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        sent = Sent(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        answered = self.server.gateway.respond(sent)
        if answered is None:
            self._lose()
        else:
            self._send(answered)

    def finish(self) -> None:
        """Close, also where the connection was reset on purpose."""
        with suppress(ValueError, OSError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _send(self, answered: Answered) -> None:
        self.send_response_only(answered.status)
        for name, value in {"Date": self.date_time_string(), **answered.headers}.items():
            self.send_header(name, value)
        if answered.status != 204:
            self.send_header("Content-Length", str(len(answered.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answered.body)

    def _lose(self) -> None:
        """Reset the connection, as a gateway that dies does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


class _Server(ThreadingHTTPServer):
    """Dies with its test."""

    daemon_threads = True
    request_queue_size = 128
    gateway: FakeGateway


@contextmanager
def serving(gateway: FakeGateway) -> Iterator[FakeGateway]:
    """Let ``gateway`` answer on a free port of loopback inside the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.gateway = gateway
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
