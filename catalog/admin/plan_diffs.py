"""What a version of a rate plan changes, in words and side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string

from catalog.admin.charge_texts import price_in_words
from catalog.admin.plan_panels import Panel
from catalog.limits import BY_NAME
from catalog.models import Charge, RatePlan
from catalog.queries.plan_diffs import PRICE, Change, ChargeChange, PlanDiff, TermChange, plan_diff, version_before
from catalog.terms import charge_name
from config.kernel.admin import Colour
from config.kernel.admin.columns import NOTHING
from config.kernel.money import AmountField, display_money

CHANGE_COLOURS: dict[Change, Colour] = {Change.ADDED: "success", Change.REMOVED: "danger", Change.CHANGED: "info"}
#: What the pages call fields otherwise than their models do.
LABELS = {"amount": "base fee"}
#: The terms of a charge that are told by its lines.
IN_LINES = frozenset({*PRICE, "match", "name"})


def changes_panel(request: HttpRequest, plan: RatePlan) -> Panel | None:
    """Return what ``plan`` changes against the version before; None for a first version."""
    before = version_before(plan)
    if before is None:
        return None
    diff = plan_diff(plan, before)
    content = render_to_string("catalog/plan_diff.html", {"diff": diff, **diff_shown(diff)})
    return Panel(title=f"What changes against version {before.version}", content=content)


def diff_shown(diff: PlanDiff) -> dict[str, Any]:
    """Return the terms as rows of label, before and after, and the charges with their lines side by side."""
    currencies = diff.against.currency, diff.plan.currency
    return {
        "terms": [_row(RatePlan, term, currencies) for term in diff.terms],
        "charges": [
            {
                "name": charge_name(change.charge),
                "change": change.change.capitalize(),
                "colour": CHANGE_COLOURS[change.change],
                "rows": list(_side_by_side(change, currencies)),
            }
            for change in diff.charges
        ],
    }


def _side_by_side(change: ChargeChange, currencies: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the lines of both sides, tier beside tier, and whether they differ."""
    before, after = (
        _lines(side, currency) for side, currency in zip((change.before, change.after), currencies, strict=True)
    )
    for old, new in zip_longest(before, after, fillvalue=""):
        yield {"before": old, "after": new, "differs": old != new}
    for term in change.terms:
        if term.field not in IN_LINES:
            yield _row(Charge, term, currencies)


def _lines(charge: Charge | None, currency: str) -> list[str]:
    """Return the lines of a charge: its model, its price, what it is limited to, its name."""
    if charge is None:
        return []
    limits = [f"only where {name} is {' or '.join(values)}" for name, values in charge.match.items()]
    name = [f"called “{charge.name}”"] if charge.name else []
    return [charge.get_model_display(), *price_in_words(charge, currency), *limits, *name]


def _row(model: type[models.Model], term: TermChange, currencies: tuple[str, str]) -> dict[str, Any]:
    field: Any = model._meta.get_field(term.field)
    before, after = (
        _in_words(field, value, currency) for value, currency in zip((term.before, term.after), currencies, strict=True)
    )
    return {"label": LABELS.get(term.field, field.verbose_name), "before": before, "after": after, "differs": True}


def _in_words(field: Any, value: Any, currency: str) -> str:
    """Return a value as an operator reads it."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if field.many_to_many:
        return _names(field.related_model, value)
    if isinstance(field, AmountField):
        return display_money(value, currency)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        return "; ".join(
            f"{_limit(name)}: {one:,}" if isinstance(one, int) else f"{name}: {one}" for name, one in value.items()
        )
    return str(dict(field.flatchoices).get(value, value))


def _limit(name: str) -> str:
    return BY_NAME[name].label if name in BY_NAME else name


def _names(model: Any, ids: Sequence[str]) -> str:
    return ", ".join(str(one) for one in model._default_manager.filter(pk__in=ids).order_by("pk"))
