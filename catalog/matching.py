"""Which charge an event belongs to: the one with the most matched dimensions, else the one without a match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Protocol, TypeVar

Match = Mapping[str, Sequence[str]]


class Matching(Protocol):
    """Anything that is limited to events by their dimensions."""

    @property
    def match(self) -> Match:
        """The values each named dimension may have."""


MatchingT = TypeVar("MatchingT", bound=Matching)


def claims(match: Match, dimensions: Mapping[str, str]) -> bool:
    """Tell whether every dimension named in ``match`` has one of its values."""
    return all(dimensions.get(name) in values for name, values in match.items())


def charge_for(charges: Sequence[MatchingT], dimensions: Mapping[str, str]) -> MatchingT | None:
    """Return the charge of one metric's ``charges`` that usage with these ``dimensions`` belongs to, or None."""
    fitting = [charge for charge in charges if claims(charge.match, dimensions)]
    return max(fitting, key=lambda charge: len(charge.match), default=None)


def could_tie(first: Match, second: Match) -> bool:
    """Tell whether some event would match both with equally many dimensions."""
    if len(first) != len(second):
        return False
    return all(set(first[name]) & set(second[name]) for name in first.keys() & second.keys())


def first_tie(matches: Sequence[Match]) -> tuple[int, int] | None:
    """Return the positions of the first two that could tie, or None."""
    return next(
        ((one, two) for one, two in combinations(range(len(matches)), 2) if could_tie(matches[one], matches[two])), None
    )
