"""A web server of a test's own, on loopback: it answers as told and counts who came."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a path answers: in one piece, or a byte every ``drip_s`` seconds."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0


@dataclass
class Site:
    """A running server: its address, and the connections and requests that reached it."""

    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    pages: dict[str, Page] = field(default_factory=dict)
    connections: int = 0
    requests: list[str] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        """Return the address of ``path``."""
        return f"{self.scheme}://{self.host}:{self.port}{path}"


@contextmanager
def site(
    pages: Mapping[str, Page] | None = None, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Site]:
    """Serve ``pages`` by path while the block runs; every other path is 404."""
    found = Site(pages=dict(pages or {}), scheme="https" if tls else "http", host=address)
    server = Server((address, 0), Handler)
    server.site = found
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Server(ThreadingHTTPServer):
    """Serves one site."""

    daemon_threads = True
    site: Site

    def verify_request(self, *_: Any) -> bool:
        """Count the connection."""
        self.site.connections += 1
        return True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of callers that hang up."""


class Handler(BaseHTTPRequestHandler):
    """Answers with the site's pages."""

    server: Server

    def do_GET(self) -> None:
        """Answer with the page of the path."""
        self.server.site.requests.append(self.path)
        page = self.server.site.pages.get(self.path, Page(status=404))
        self.send_response(page.status)
        for name, value in {"Content-Length": str(len(page.body)), **page.headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        for piece in pieces(page):
            self.wfile.write(piece)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


def pieces(page: Page) -> Iterator[bytes]:
    """Yield the body of a page as it is sent."""
    if not page.drip_s:
        yield page.body
        return
    for position in range(len(page.body)):
        time.sleep(page.drip_s)
        yield page.body[position : position + 1]
