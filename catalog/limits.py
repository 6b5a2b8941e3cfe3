"""Limits of a rate plan: how many requests a subscription may make, as a rate and as a quota."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

#: The most requests any limit can name.
MOST_REQUESTS = 10**12


class InvalidLimits(ValueError):
    """Limits that cannot be meant; ``param`` names the one."""

    def __init__(self, param: str, reason: str) -> None:
        super().__init__(reason)
        self.param = param


@dataclass(frozen=True, slots=True)
class LimitKind:
    """What a limit is called in API and admin, what it counts in which window, and how long that window is."""

    name: str
    label: str
    kind: Literal["rate", "quota", "burst"]
    #: Empty for a burst, which has no window.
    unit: Literal["", "second", "minute", "hour", "day", "week", "month"] = ""
    #: A month counts as 30 days where a gateway knows no calendar.
    seconds: int = 0


LIMIT_KINDS = (
    LimitKind("rate_per_second", "Requests per second", "rate", "second", 1),
    LimitKind("rate_per_minute", "Requests per minute", "rate", "minute", 60),
    LimitKind("rate_per_hour", "Requests per hour", "rate", "hour", 3600),
    LimitKind("burst", "Burst", "burst"),
    LimitKind("quota_per_day", "Requests per day", "quota", "day", 86_400),
    LimitKind("quota_per_week", "Requests per week", "quota", "week", 604_800),
    LimitKind("quota_per_month", "Requests per month", "quota", "month", 2_592_000),
)
BY_NAME: Mapping[str, LimitKind] = {kind.name: kind for kind in LIMIT_KINDS}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` requests in the window of its kind."""

    count: int
    of: LimitKind


def parse_limits(limits: Mapping[str, object]) -> dict[str, int]:
    """
    Return ``{name: count}`` in the order of :data:`LIMIT_KINDS`, without those that are None.

    Raises:
        InvalidLimits: an unknown name, a count that is no whole number from 1 on, a longer window that allows less
            than a shorter one (no gateway could keep both), or a burst without a rate to burst above.
    """
    unknown = sorted(set(limits) - set(BY_NAME))
    if unknown:
        raise InvalidLimits(unknown[0], f"There is no limit called '{unknown[0]}'")
    known = {
        kind.name: _count(kind.name, limits[kind.name]) for kind in LIMIT_KINDS if limits.get(kind.name) is not None
    }
    windows = [limit for limit in limits_of(known) if limit.of.seconds]
    for shorter, longer in pairwise(windows):
        if longer.count < shorter.count:
            raise InvalidLimits(
                longer.of.name,
                f"{longer.of.label} must not be below the {shorter.count} {shorter.of.label.lower()}",
            )
    if "burst" in known and not any(limit.of.kind == "rate" for limit in windows):
        raise InvalidLimits("burst", "A burst needs a rate that it may exceed for a moment")
    return known


def limits_of(limits: Mapping[str, int]) -> Iterator[Limit]:
    """Yield the limits that ``parse_limits`` has read, shortest window first."""
    return (Limit(limits[kind.name], kind) for kind in LIMIT_KINDS if kind.name in limits)


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_REQUESTS:
        raise InvalidLimits(name, f"{BY_NAME[name].label} must be a whole number from 1 to {MOST_REQUESTS}")
    return value
