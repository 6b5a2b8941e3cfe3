"""Which addresses are on the public internet."""

from __future__ import annotations

import pytest

from config.kernel.addresses import is_public

#: Addresses and whether they are those of public hosts.
ADDRESSES = [
    ("1.1.1.1", True),
    ("8.8.8.8", True),
    ("93.184.216.34", True),
    ("0.0.0.0", False),  # noqa: S104
    ("0.1.2.3", False),
    ("10.0.0.1", False),
    ("9.255.255.255", True),
    ("11.0.0.0", True),
    ("100.63.255.255", True),
    ("100.64.0.1", False),
    ("100.127.255.255", False),
    ("100.128.0.0", True),
    ("127.0.0.1", False),
    ("127.255.255.254", False),
    ("169.254.169.254", False),
    ("172.15.255.255", True),
    ("172.16.0.1", False),
    ("172.31.255.255", False),
    ("172.32.0.0", True),
    ("192.0.0.8", False),
    ("192.0.2.1", False),
    ("192.88.99.1", False),
    ("192.168.1.1", False),
    ("198.18.0.1", False),
    ("198.19.255.255", False),
    ("198.20.0.0", True),
    ("198.51.100.1", False),
    ("203.0.113.1", False),
    ("224.0.0.1", False),
    ("239.255.255.255", False),
    ("240.0.0.1", False),
    ("255.255.255.255", False),
    ("2606:4700:4700::1111", True),
    ("2a00:1450:4001:81b::200e", True),
    ("::", False),
    ("::1", False),
    ("::127.0.0.1", False),
    ("::ffff:127.0.0.1", False),
    ("::ffff:10.0.0.1", False),
    ("::ffff:8.8.8.8", True),
    ("64:ff9b::7f00:1", False),
    ("64:ff9b::a9fe:a9fe", False),
    ("64:ff9b::808:808", True),
    ("64:ff9b:1::7f00:1", False),
    ("2002:7f00:1::", False),
    ("2002:a00:1::", False),
    ("2001:0:7f00:1::", False),
    ("2001:db8::1", False),
    ("3fff::1", False),
    ("100::1", False),
    ("fc00::1", False),
    ("fd12:3456::1", False),
    ("fe80::1", False),
    ("fe80::1%eth0", False),
    ("2606:4700:4700::1111%1", False),
    ("fec0::1", False),
    ("ff02::1", False),
    ("5f00::1", False),
]


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_an_address_is_public_or_it_is_not(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_networks_of_ones_own_are_allowed_by_name_only() -> None:
    assert is_public("10.1.2.3", allowed=["10.1.2.0/24", "fd00::/8"])
    assert is_public("fd00::1", allowed=["10.1.2.0/24", "fd00::/8"])
    assert is_public("::ffff:10.1.2.3", allowed=["10.1.2.0/24"])
    assert not is_public("10.1.3.3", allowed=["10.1.2.0/24"])
