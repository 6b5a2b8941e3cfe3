"""Limits of a rate plan: their names, their bounds, and that they do not contradict each other."""

from __future__ import annotations

import pytest

from catalog.limits import InvalidLimits, limits_of, parse_limits


def test_limits_come_shortest_window_first_and_without_the_empty_ones() -> None:
    parsed = parse_limits({"quota_per_month": 10_000, "burst": 20, "rate_per_minute": 100, "quota_per_day": None})

    assert list(parsed.items()) == [("rate_per_minute", 100), ("burst", 20), ("quota_per_month", 10_000)]
    assert [(limit.count, limit.of.unit) for limit in limits_of(parsed)] == [
        (100, "minute"),
        (20, ""),
        (10_000, "month"),
    ]


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ({"rate_per_fortnight": 1}, "rate_per_fortnight"),
        ({"rate_per_minute": 0}, "rate_per_minute"),
        ({"rate_per_minute": 1.5}, "rate_per_minute"),
        ({"rate_per_minute": True}, "rate_per_minute"),
        ({"rate_per_minute": "5"}, "rate_per_minute"),
        ({"rate_per_minute": 10**12 + 1}, "rate_per_minute"),
        ({"rate_per_minute": 100, "quota_per_day": 99}, "quota_per_day"),
        ({"quota_per_day": 100, "quota_per_month": 99}, "quota_per_month"),
        ({"burst": 5, "quota_per_day": 100}, "burst"),
    ],
)
def test_what_cannot_be_meant_is_named(limits: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidLimits) as refusal:
        parse_limits(limits)

    assert refusal.value.param == param


def test_a_longer_window_may_allow_exactly_as_much() -> None:
    assert parse_limits({"rate_per_minute": 100, "quota_per_day": 100}) == {
        "rate_per_minute": 100,
        "quota_per_day": 100,
    }
