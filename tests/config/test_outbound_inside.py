"""Networks of one's own that a single call may reach, also without TLS, while all other calls may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from config.kernel.outbound import AddressRefused, call, check_url
from tests.web import Page, site


def test_networks_named_for_a_call_may_be_called_with_http_and_no_other_call_may(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = False
    with site({"/": Page(body=b"gateway")}) as gateway:
        assert call("GET", gateway.url(), inside=["127.0.0.1/32"]).body == b"gateway"
        for others in ([], ["127.0.0.2/32"], ["10.0.0.0/8"]):
            with pytest.raises(AddressRefused):
                call("GET", gateway.url(), inside=others)

        assert len(gateway.requests) == 1


def test_a_name_leads_into_the_networks_named_for_a_call_only(
    settings: LazySettings, resolve: Callable[..., list[str]]
) -> None:
    settings.OUTBOUND_ALLOW_HTTP = False
    with site({"/": Page(body=b"gateway")}) as gateway, site(address="127.0.0.2") as canary:
        resolve("kong.internal", ["127.0.0.1"], ["127.0.0.1", "127.0.0.2"])

        assert call("GET", f"http://kong.internal:{gateway.port}/", inside=["127.0.0.1/32"]).body == b"gateway"
        with pytest.raises(AddressRefused, match="which is not on the public internet"):
            call("GET", f"http://kong.internal:{canary.port}/", inside=["127.0.0.1/32"])
        assert canary.connections == 0


def test_what_is_public_is_called_with_https_only_whatever_is_named_for_the_call(
    settings: LazySettings, resolve: Callable[..., list[str]]
) -> None:
    settings.OUTBOUND_ALLOW_HTTP = False
    resolve("api.example.com", ["1.1.1.1"])

    with pytest.raises(AddressRefused, match="which is called with https only"):
        call("GET", "http://api.example.com/", inside=["127.0.0.0/8"], deadline_s=5)


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://kong:8001", ["10.0.0.0/8"]),
        ("https://kong.internal", ["10.0.0.0/8"]),
        ("http://10.1.2.3:8001", ["10.0.0.0/8"]),
        ("https://api.example.com", []),
    ],
)
def test_an_address_inside_is_taken_where_its_network_is_named(url: str, inside: list[str]) -> None:
    check_url(url, inside=inside)


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://kong:8001", []),
        ("https://kong.internal", []),
        ("http://10.1.2.3:8001", ["10.2.0.0/16"]),
        ("http://169.254.169.254/", ["10.0.0.0/8"]),
        ("ftp://10.1.2.3/", ["10.0.0.0/8"]),
        ("http://user:secret@10.1.2.3/", ["10.0.0.0/8"]),
        ("http://0x0a010203/", ["10.0.0.0/8"]),
    ],
)
def test_an_address_inside_is_refused_where_its_network_is_not_named(url: str, inside: list[str]) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, inside=inside)
