"""Deletion guards: every app says why an object of its own or a lower app may not simply be deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum
from typing import Any, TypeVar

from django.db import models
from django.urls import reverse

from config.kernel.money import EXACT, display_money


class Verdict(IntEnum):
    """How far a finding stands in the way; the highest of a report is the report's."""

    ALLOW = 0
    WARN = 1
    BLOCK = 2


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One reason: its code, a sentence for people, how many objects it concerns and where the admin lists them."""

    code: str
    verdict: Verdict
    message: str
    count: int
    #: Path and query of the admin list of the objects concerned; empty where there is none.
    link: str = ""
    #: The money concerned, an amount for each currency.
    amounts: tuple[tuple[Decimal, str], ...] = ()
    #: Whether a deletion that terminates what is open would put an end to what blocks here.
    ends_with_termination: bool = False

    @property
    def money(self) -> str:
        """The amounts for people: ``$10.00, €5.00``; empty where no money is concerned."""
        return ", ".join(display_money(amount, currency) for amount, currency in self.amounts)


@dataclass(frozen=True, kw_only=True)
class DeletionReport:
    """What stands in the way of deleting one object, worst first."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all findings; ALLOW without any."""
        return max((finding.verdict for finding in self.findings), default=Verdict.ALLOW)

    @property
    def outlasts_termination(self) -> bool:
        """Whether something blocks the deletion even where all that is open is terminated with it."""
        return any(one.verdict is Verdict.BLOCK and not one.ends_with_termination for one in self.findings)

    def document(self) -> dict[str, Any]:
        """Return the report as the API prints it."""
        return {
            "verdict": self.verdict.name,
            "findings": [
                {"code": one.code, "verdict": one.verdict.name, "message": one.message, "count": one.count}
                for one in self.findings
            ],
        }


def counted(
    count: int,
    *,
    code: str,
    verdict: Verdict,
    message: str,
    at: str,
    query: str,
    amounts: Iterable[tuple[Decimal, str]] = (),
    ends_with_termination: bool = False,
) -> Finding | None:
    """
    Return the finding about ``count`` objects, or None where there is none of them.

    ``message`` is a format string over ``count`` and ``money``; ``at`` names the model of the admin list
    (``billing_wallet``) and ``query`` filters it to the objects concerned. ``amounts`` may hold a currency many times.
    """
    if not count:
        return None
    finding = Finding(
        code=code,
        verdict=verdict,
        message=message,
        count=count,
        link=f"{reverse(f'admin:{at}_changelist')}?{query}",
        amounts=_by_currency(amounts),
        ends_with_termination=ends_with_termination,
    )
    return replace(finding, message=message.format(count=count, money=finding.money))


def _by_currency(amounts: Iterable[tuple[Decimal, str]]) -> tuple[tuple[Decimal, str], ...]:
    """Return the sum of each currency, by its code; sums of nothing are left out."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for amount, currency in amounts:
        sums[currency] = EXACT.add(sums[currency], amount)
    return tuple((sums[currency], currency) for currency in sorted(sums) if sums[currency])


ModelT = TypeVar("ModelT", bound=models.Model)
Guard = Callable[[Any], Finding | None]

_guards: dict[type[models.Model], list[Guard]] = defaultdict(list)


def register_guard(model: type[ModelT], guard: Callable[[ModelT], Finding | None]) -> None:
    """Ask ``guard`` about every ``model`` object that is to be deleted; called once at start-up."""
    if guard not in _guards[model]:
        _guards[model].append(guard)


def deletion_report(obj: models.Model) -> DeletionReport:
    """Ask every guard about ``obj``; under a row lock the answer holds until the transaction ends."""
    found = [finding for guard in _guards[type(obj)] if (finding := guard(obj)) is not None]
    return DeletionReport(findings=tuple(sorted(found, key=lambda finding: -finding.verdict)))
