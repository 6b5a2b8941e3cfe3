"""Which network addresses are on the public internet, and which lead inside."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What is no public host in IPv4, after IANA's registry of special-purpose addresses, and multicast.
INSIDE_V4 = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

#: Hosts of the public internet have their IPv6 addresses here, and nowhere else so far.
PUBLIC_V6 = IPv6Network("2000::/3")
#: What in there is no host, or could be one inside: it carries an IPv4 address in some form.
INSIDE_V6 = tuple(
    IPv6Network(one)
    for one in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
#: Prefixes in front of an IPv4 address that is reached through them: mapped, and NAT64.
AROUND_V4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))


def is_public(address: str, *, allowed: Iterable[str] = ()) -> bool:
    """
    Tell whether ``address`` is that of a host on the public internet, or in one of the networks ``allowed``.

    An IPv6 address that stands for an IPv4 one is judged by that.

    Raises:
        ValueError: it is no address, or one of ``allowed`` no network.
    """
    if is_within(address, allowed):
        return True
    found = reached(ip_address(address))
    if isinstance(found, IPv4Address):
        return not any(found in network for network in INSIDE_V4)
    # A zone belongs to one interface of this machine.
    return found.scope_id is None and found in PUBLIC_V6 and not any(found in network for network in INSIDE_V6)


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Tell whether ``address``, or the IPv4 one it stands for, is in one of ``networks``."""
    found = reached(ip_address(address))
    return any(found in network for network in map(ip_network, networks) if network.version == found.version)


def reached(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to; any other as it is."""
    if isinstance(address, IPv6Address) and any(address in network for network in AROUND_V4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
