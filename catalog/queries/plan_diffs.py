"""Differences between two rate plans, above all between two versions of one: term by term, charge by charge."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog.models import Charge, RatePlan
from catalog.pricing import parse_price
from catalog.queries.charges import charges_of
from catalog.terms import OWN_OF_CHARGE, OWN_OF_PLAN, links_of, terms_of

#: The two terms that make a price; they are compared as one, because the same number can be spelled in many ways.
PRICE = ("model", "properties")


class Change(StrEnum):
    """What became of a charge."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"


@dataclass(frozen=True, kw_only=True)
class TermChange:
    """One term that differs, under the name of its field; a link to many is the list of their ids."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class ChargeChange:
    """A charge of which one side is missing, or whose ``terms`` differ."""

    change: Change
    before: Charge | None
    after: Charge | None
    terms: Sequence[TermChange] = ()

    @property
    def charge(self) -> Charge:
        """The charge as it is now, or as it was where it is gone."""
        charge = self.after or self.before
        assert charge is not None
        return charge


@dataclass(frozen=True, kw_only=True)
class PlanDiff:
    """What of ``against`` is otherwise in ``plan``; ``unchanged`` counts the charges that are the same in both."""

    plan: RatePlan
    against: RatePlan
    terms: Sequence[TermChange]
    charges: Sequence[ChargeChange]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether both cost the same."""
        return not self.terms and not self.charges


def version_before(plan: RatePlan) -> RatePlan | None:
    """Return the next lower version of ``plan`` that there is."""
    return RatePlan.objects.filter(code=plan.code, version__lt=plan.version).order_by("-version").first()


def plan_diff(plan: RatePlan, against: RatePlan) -> PlanDiff:
    """
    Compare ``plan`` with ``against``, which went before.

    Charges are the same ones where metric and match are; then those of a metric that have the same name, and last those
    of a metric in their order, so that a charge that was limited otherwise or priced otherwise counts as changed. Two
    queries for the charges, and one for each kind of link.
    """
    pairs = _paired(charges_of(against.pk), charges_of(plan.pk))
    changes = [change for before, after in pairs if (change := _charge_change(before, after)) is not None]
    return PlanDiff(
        plan=plan,
        against=against,
        terms=_changed(_all_terms(against, OWN_OF_PLAN), _all_terms(plan, OWN_OF_PLAN)),
        charges=changes,
        unchanged=len(pairs) - len(changes),
    )


def _all_terms(row: RatePlan | Charge, own: frozenset[str]) -> dict[str, Any]:
    return {**terms_of(row, own), **links_of(row)}


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[TermChange]:
    return [
        TermChange(field=name, before=before[name], after=value)
        for name, value in after.items()
        if before[name] != value
    ]


def _charge_change(before: Charge | None, after: Charge | None) -> ChargeChange | None:
    """Return what became of a charge; None where it is as before."""
    if before is None or after is None:
        change = Change.ADDED if before is None else Change.REMOVED
        return ChargeChange(change=change, before=before, after=after)
    left_out = OWN_OF_CHARGE | {"match"} if _values(before) == _values(after) else OWN_OF_CHARGE
    if parse_price(before.model, before.properties) == parse_price(after.model, after.properties):
        left_out |= set(PRICE)
    terms = _changed(_all_terms(before, left_out), _all_terms(after, left_out))
    return ChargeChange(change=Change.CHANGED, before=before, after=after, terms=terms) if terms else None


def _values(charge: Charge) -> frozenset[tuple[str, frozenset[str]]]:
    """Return the match of a charge, in which no order counts."""
    return frozenset((name, frozenset(values)) for name, values in charge.match.items())


#: By what charges are taken for the same, the surest first; None stands for no such mark.
MARKS: Sequence[Callable[[Charge], Hashable | None]] = (
    lambda charge: (charge.metric_id, _values(charge)),
    lambda charge: (charge.metric_id, charge.name) if charge.name else None,
    lambda charge: charge.metric_id,
)


def _paired(before: Sequence[Charge], after: Sequence[Charge]) -> list[tuple[Charge | None, Charge | None]]:
    """Return each charge with its counterpart, in the order of ``after``, those that are gone last."""
    counterparts: dict[str, Charge] = {}
    left = list(before)
    for mark in MARKS:
        for charge in after:
            sign = mark(charge)
            if charge.id in counterparts or sign is None:
                continue
            same = next((one for one in left if mark(one) == sign), None)
            if same is not None:
                left.remove(same)
                counterparts[charge.id] = same
    return [*((counterparts.get(charge.id), charge) for charge in after), *((one, None) for one in left)]
