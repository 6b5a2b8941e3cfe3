"""What a connection to Kong asks for, and which answers fit together."""

from __future__ import annotations

import re
from collections.abc import Mapping

from catalog.gateways.interface import Field
from catalog.gateways.kong.limiting import edition_of, policy_of

REGIONS = (
    ("us", "United States"),
    ("eu", "Europe"),
    ("au", "Australia"),
    ("me", "Middle East"),
    ("in", "India"),
    ("sg", "Singapore"),
)
HEADER = re.compile(r"[A-Za-z0-9_-]{1,100}\Z", re.ASCII)
WORKSPACE = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}\Z", re.ASCII)
CONTROL_PLANE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}\Z", re.ASCII)
DEFAULT_HEADERS = "apikey, x-api-key"

SETTINGS = (
    Field(
        name="edition",
        label="Edition",
        choices=(("enterprise", "Kong Enterprise"), ("konnect", "Konnect"), ("oss", "Kong open source")),
        help="Open source has no consumer groups: limits are then one plugin for each subscription.",
    ),
    Field(
        name="workspace",
        label="Workspace",
        required=False,
        help="Kong Enterprise only; empty for the default workspace.",
    ),
    Field(name="region", label="Region", required=False, choices=REGIONS, help="Konnect only."),
    Field(
        name="control_plane_id",
        label="Control plane id",
        required=False,
        help="Konnect only: the id of the control plane, as its page in Konnect shows it.",
    ),
    Field(
        name="policy",
        label="Where requests are counted",
        required=False,
        choices=(
            ("cluster", "In Kong's database"),
            ("redis", "In Redis"),
            ("local", "In each node by itself"),
        ),
        help="Empty: in Kong's database, on Konnect in Redis. Hybrid mode and Konnect cannot count in the database.",
    ),
    Field(
        name="redis_host",
        label="Redis host",
        required=False,
        help="As Kong's nodes reach it; needed where requests are counted in Redis. Kong 3.6 or later.",
    ),
    Field(name="redis_port", label="Redis port", required=False, help="Empty for 6379."),
    Field(
        name="key_headers",
        label="Headers with the key",
        required=False,
        default=DEFAULT_HEADERS,
        help="In which header, or query parameter, customers send their key; several are separated by commas.",
    ),
)

CREDENTIALS = (
    Field(
        name="admin_token",
        label="Admin token",
        required=False,
        help="Kong Enterprise with RBAC, or a proxy in front of the Admin API: sent as Kong-Admin-Token.",
    ),
    Field(
        name="access_token",
        label="Konnect access token",
        required=False,
        help="Konnect only: a personal (kpat_…) or a system account's (spat_…) access token.",
    ),
    Field(
        name="redis_password",
        label="Redis password",
        required=False,
        help="Where requests are counted in Redis; a reference to Kong's vault ({vault://…}) is better.",
    ),
)


def header_names(settings: Mapping[str, str]) -> list[str]:
    """Return the headers that a key may come in, sorted."""
    named = settings.get("key_headers", DEFAULT_HEADERS).split(",")
    return sorted({name.strip() for name in named if name.strip()})


def notes_for(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return what operators have to know before they rely on this edition's enforcement."""
    notes = [
        "Kong keeps keys readable in its database. Its nodes take some seconds to learn of a change.",
        "A suspended key stays in Kong under a value that nobody knows.",
        "Clients that authenticate with OAuth (AI agents, MCP servers) are not supported.",
    ]
    if edition_of(settings) == "oss":
        notes.append("Open source Kong limits each subscription by a plugin of its own, which slows very many down.")
    if policy_of(settings) == "local":
        notes.append("Each Kong node counts for itself: with several nodes, customers get more than their plan allows.")
    return tuple(notes)


def check(settings: Mapping[str, str], base_url: str) -> None:
    """
    Refuse settings that do not fit together.

    Raises:
        ValueError: ``args`` are the name of the setting and a sentence.
    """
    if edition_of(settings) == "konnect":
        _check_konnect(settings)
    else:
        _check_self_managed(settings, base_url)
    _check_counting(settings)
    headers = header_names(settings)
    if not headers or not all(HEADER.match(name) for name in headers):
        raise ValueError("key_headers", "Names of headers, separated by commas: letters, digits, - and _")


def _check_konnect(settings: Mapping[str, str]) -> None:
    if "workspace" in settings:
        raise ValueError("workspace", "Konnect has control planes instead of workspaces")
    if "region" not in settings:
        raise ValueError("region", "The region of the Konnect account is needed")
    if not CONTROL_PLANE.match(settings.get("control_plane_id", "")):
        raise ValueError("control_plane_id", "The id of the control plane is needed, a UUID")
    if policy_of(settings) == "cluster":
        raise ValueError("policy", "Konnect's nodes share no database: count in Redis, or in each node by itself")


def _check_self_managed(settings: Mapping[str, str], base_url: str) -> None:
    if not base_url:
        raise ValueError("base_url", "The address of Kong's Admin API is needed")
    workspace = settings.get("workspace")
    if workspace is not None and edition_of(settings) == "oss":
        raise ValueError("workspace", "Only Kong Enterprise has workspaces")
    if workspace is not None and not WORKSPACE.match(workspace):
        raise ValueError("workspace", "A workspace's name has letters, digits, and . _ ~ - only")


def _check_counting(settings: Mapping[str, str]) -> None:
    if policy_of(settings) == "redis" and not HOST.match(settings.get("redis_host", "")):
        raise ValueError("redis_host", "The host of the Redis that Kong's nodes count in is needed, or another policy")
    port = settings.get("redis_port", "6379")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError("redis_port", "A port is a number from 1 to 65535")
