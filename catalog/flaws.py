"""Flaws of the catalog: what a check finds, and what higher apps, which know who buys and uses, can find besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalog.models import Metric, Product, RatePlan


class Severity(StrEnum):
    """An ERROR loses money or customers now, a WARNING probably does, a HINT is worth a look; worst first."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    HINT = "HINT"

    @property
    def rank(self) -> int:
        """The place among the severities, 0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One finding: a sentence for people and what to do; ``about`` is the object whose page helps, if there is one."""

    code: str
    severity: Severity
    about: Product | RatePlan | Metric | None
    message: str
    advice: str


Check = Callable[[datetime], Iterable[Flaw]]

_checks: list[Check] = []


def register_check(check: Check) -> None:
    """Ask ``check`` too whenever the catalog is checked, as of the moment it is given; called once at start-up."""
    if check not in _checks:
        _checks.append(check)


def registered_checks() -> list[Check]:
    """Return the checks of higher apps, in the order in which they were registered."""
    return list(_checks)
