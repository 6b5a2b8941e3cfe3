"""Calls to addresses that others name: they reach the public internet and nothing inside."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from config.kernel import outbound
from config.kernel.outbound import (
    AddressRefused,
    AnswerTooLarge,
    TookTooLong,
    Undelivered,
    Unreachable,
    call,
    check_url,
)
from tests.web import Page, Site, site

#: Ways to write loopback and its like in a URL, for a port.
INSIDE = [
    "http://127.0.0.1:{port}/",
    "http://127.0.0.2:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://anything.localhost:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://user:password@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}\\@example.com/",
    "https://127.0.0.1:{port}/",
    "https://localhost:{port}/",
]


@pytest.fixture
def canary(settings: LazySettings) -> Iterator[Site]:
    """Listen inside; http is allowed, so that it is the address alone that keeps callers off."""
    settings.OUTBOUND_ALLOW_HTTP = True
    with site({"/": Page(body=b"inside")}) as found:
        yield found
        assert (found.connections, found.requests) == (0, [])


@pytest.fixture
def loopback(settings: LazySettings) -> None:
    """Let calls reach this machine."""
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]


@pytest.mark.parametrize("url", INSIDE)
def test_no_spelling_of_an_address_inside_is_called(canary: Site, url: str) -> None:
    with pytest.raises(Undelivered):
        call("GET", url.format(port=canary.port), deadline_s=5)


def test_the_canary_hears_a_caller_where_it_is_allowed(loopback: None) -> None:
    """Without this the tests above could not fail."""
    with site({"/": Page(body=b"inside")}) as canary:
        assert call("GET", canary.url()).body == b"inside"
        assert (canary.connections, canary.requests) == (1, ["/"])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["127.0.0.1", "1.1.1.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
    ],
)
def test_a_name_one_of_whose_addresses_is_inside_is_not_called(
    canary: Site, resolve: Callable[..., list[str]], addresses: list[str]
) -> None:
    asked = resolve("rebound.example.com", addresses)

    with pytest.raises(AddressRefused, match="not on the public internet"):
        call("GET", f"http://rebound.example.com:{canary.port}/", deadline_s=5)
    assert len(asked) == 1


def test_what_is_dialled_is_what_was_checked(settings: LazySettings, resolve: Callable[..., list[str]]) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with site({"/": Page(body=b"mine")}) as mine, site(address="127.0.0.2") as canary:
        asked = resolve("rebound.example.com", ["127.0.0.1"], ["127.0.0.2"])

        answer = call("GET", f"http://rebound.example.com:{mine.port}/")

        assert (answer.body, asked, canary.connections) == (b"mine", ["rebound.example.com"], 0)


def test_a_redirect_is_an_answer_and_not_followed(loopback: None) -> None:
    with site(address="127.0.0.2") as canary:
        to_canary = Page(status=302, headers={"Location": canary.url()})
        with site({"/": to_canary}) as mine:
            answer = call("GET", mine.url())

            assert (answer.status, answer.headers["location"]) == (302, canary.url())
            assert (len(mine.requests), canary.connections) == (1, 0)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "example.com", "//example.com/", "", "https://",
        "https://user@example.com/", "https://:secret@example.com/", "http://example.com/", "https://intranet/",
        "https://db.internal/", "https://printer.local/", "https://10.0.0.1/", "https://[fe80::1%25eth0]/",
        "https://example.0x1/", "https://exa mple.com/", "https://example.com:99999/", "https://" + "a" * 64 + ".com/",
    ],
)  # fmt: skip
def test_a_url_that_nobody_would_call_is_refused_without_asking_the_network(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com:8443/a?b=c", "https://1.1.1.1/", "https://bücher.example/"]
)
def test_a_url_that_could_be_called_is_taken(url: str) -> None:
    check_url(url)


def test_http_is_called_only_where_that_is_allowed(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    check_url("http://example.com/")
    settings.OUTBOUND_ALLOW_HTTP = False
    with pytest.raises(AddressRefused, match="must begin with https://"):
        check_url("http://example.com/")


@pytest.mark.parametrize("headers", [{}, {"Content-Length": ""}])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(loopback: None, headers: dict[str, str]) -> None:
    pages = {"/fits": Page(body=b"x" * 1000, headers=headers), "/large": Page(body=b"x" * 1001, headers=headers)}
    with site(pages) as mine:
        assert len(call("GET", mine.url("/fits"), largest_body=1000).body) == 1000
        with pytest.raises(AnswerTooLarge):
            call("GET", mine.url("/large"), largest_body=1000)


def test_an_answer_that_only_promises_to_be_too_large_is_not_waited_for(loopback: None) -> None:
    promise = Page(body=b"x", headers={"Content-Length": str(50 * 2**20)})
    with site({"/": promise}) as mine, pytest.raises(AnswerTooLarge, match="larger than 5 MiB"):
        call("GET", mine.url(), largest_body=5 * 2**20)


def test_the_deadline_is_that_of_the_whole_call(loopback: None) -> None:
    with site({"/": Page(body=b"x" * 1000, drip_s=0.05)}) as mine:
        begun = time.monotonic()
        with pytest.raises(TookTooLong):
            call("GET", mine.url(), deadline_s=0.5)
        assert time.monotonic() - begun < 5


def test_nobody_there_is_unreachable(loopback: None) -> None:
    with site() as gone:
        url = gone.url()
    with pytest.raises(Unreachable, match="cannot be reached"):
        call("GET", url, deadline_s=5)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(TookTooLong):
        call("GET", f"http://127.0.0.1:{mute.getsockname()[1]}/", deadline_s=0.3)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the files of a certificate for ``name`` that signs itself, and of its key."""
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "2"]
    subprocess.run([*command, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths


def test_a_certificate_has_to_be_trusted_and_that_of_the_name_called(
    loopback: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolve: Callable[..., list[str]]
) -> None:
    resolve("shop.example.com", ["127.0.0.1"])
    certificate_file, key_file = certificate(tmp_path, "shop.example.com")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate_file, key_file)
    with site({"/": Page(body=b"safe")}, tls=tls) as shop:
        url = f"https://shop.example.com:{shop.port}/"
        outbound._trusted.cache_clear()
        with pytest.raises(Unreachable, match="self-signed certificate"):
            call("GET", url)

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file))
        outbound._trusted.cache_clear()
        assert call("GET", url).body == b"safe"
        with pytest.raises(Unreachable, match="certificate is not valid for"):
            call("GET", shop.url())
    outbound._trusted.cache_clear()
