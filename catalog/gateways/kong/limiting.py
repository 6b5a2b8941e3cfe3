"""Limits as Kong's rate-limiting plugins have them, and what of a plugin's configuration is ours to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from catalog.gateways.interface import EXACT, Support
from catalog.limits import Limit

SIMPLE, ADVANCED = "rate-limiting", "rate-limiting-advanced"
#: What Kong counts in windows of the calendar.
PERIODS = ("second", "minute", "hour", "day", "month", "year")
DEFAULT_REDIS_PORT = 6379

#: Where counters are kept unless a setting says otherwise: Konnect's nodes have no database to share.
DEFAULT_POLICY = {"enterprise": "cluster", "oss": "cluster", "konnect": "redis"}

#: Names whose values we leave at Kong's defaults, and which would undo our limits or our access where they are not.
WATCHED: Mapping[str, Mapping[str, Any]] = {
    "key-auth": {"anonymous": None},
    "acl": {"deny": None},
    SIMPLE: {**dict.fromkeys(PERIODS), "limit_by": "consumer"},
    ADVANCED: {"identifier": "consumer", "disable_penalty": False},
}
#: Lists whose order means nothing.
SETS = frozenset({"allow", "deny", "key_names"})

Settings = Mapping[str, str]


def edition_of(settings: Settings) -> str:
    """Return which Kong it is: ``enterprise``, ``konnect`` or ``oss``."""
    return settings.get("edition", "enterprise")


def policy_of(settings: Settings) -> str:
    """Return where Kong keeps its counters: ``local``, ``cluster`` or ``redis``."""
    return settings.get("policy") or DEFAULT_POLICY[edition_of(settings)]


def support_of(limit: Limit, settings: Settings) -> Support:
    """Return how well an edition of Kong can enforce ``limit``."""
    if limit.of.kind == "burst":
        return Support(level="unsupported", why="Kong counts in fixed windows and knows no burst above a rate.")
    if limit.of.unit == "week" and edition_of(settings) == "oss":
        return Support(level="unsupported", why="Only Kong Enterprise and Konnect can count by the week.")
    if policy_of(settings) == "local":
        return Support(
            level="approximate", why="Each Kong node counts for itself, so that several together let more through."
        )
    return EXACT


def limit_plugins(limits: Iterable[Limit], settings: Settings, *, namespace: str) -> dict[str, dict[str, Any]]:
    """
    Return ``{plugin: config}`` for the limits, none where there are none.

    Weeks are counted by a plugin of their own, because the one that counts calendar days and months has none, and
    the one that has them counts a month as 30 days.
    """
    plugins: dict[str, dict[str, Any]] = {}
    policy = policy_of(settings)
    windows = {limit.of.unit: limit for limit in limits if limit.of.seconds}
    week = windows.pop("week", None)
    if windows:
        counts: dict[str, Any] = {unit: limit.count for unit, limit in windows.items()}
        plugins[SIMPLE] = {**counts, "policy": policy, **_redis(policy, settings)}
    if week is not None:
        plugins[ADVANCED] = {
            "limit": [week.count],
            "window_size": [week.of.seconds],
            "window_type": "fixed",
            "strategy": policy,
            # Counted at once where counters are shared, else not shared at all.
            "sync_rate": -1 if policy == "local" else 0,
            # Kong would draw another at every change, and begin to count anew.
            "namespace": namespace,
            **_redis(policy, settings),
        }
    return plugins


def _redis(policy: str, settings: Settings) -> dict[str, Any]:
    if policy != "redis":
        return {}
    port = int(settings.get("redis_port", DEFAULT_REDIS_PORT))
    return {"redis": {"host": settings["redis_host"], "port": port}}


def managed(name: str, config: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what of a live plugin's ``config`` is compared.

    That is what ``wanted`` sets, and what is watched where it differs from Kong's default.
    """
    shown = {key: _like(config[key], wanted[key], key) for key in wanted if config.get(key) is not None}
    for key, default in WATCHED.get(name, {}).items():
        if key not in wanted and config.get(key) not in (None, [], default):
            shown[key] = plain(config[key], key)
    return shown


def _like(value: Any, wanted: Any, key: str) -> Any:
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return {name: plain(value[name], name) for name in wanted if value.get(name) is not None}
    return plain(value, key)


def plain(value: Any, key: str = "") -> Any:
    """Return a value of JSON without floats, nulls, and any order of lists that are sets."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, Mapping):
        return {name: plain(one, name) for name, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [plain(one) for one in value]
        return sorted(parts, key=str) if key in SETS else parts
    return value
