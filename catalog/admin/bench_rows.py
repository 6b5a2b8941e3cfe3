"""Usage as an operator types it: a table for each metric, a column for each of its dimensions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, groupby, islice, product
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.admin.charges import NumberField
from catalog.models import PRICED_BY_EVENT, Aggregation, Charge, Metric
from catalog.queries.prices import UnitsUsed
from config.kernel.admin.theme import dress
from config.kernel.money import plain

#: As many as the API takes.
MAX_EVENTS = 10_000
#: How many rows of one metric a page takes, and how many it offers of its own accord.
MAX_ROWS, OFFERED_ROWS = 400, 50
#: How many boxes a page has, so that a browser draws it at once.
MAX_BOXES = 900
#: How many empty rows more are offered where a metric has dimensions.
BLANK_ROWS = 2

AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)


class AmountsField(forms.CharField):
    """What events carry, in their order: ``10 25.50``, or ``300 x 2.50`` for a run of equal ones."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """Return amounts as text, and an operator's own input as it is."""
        return value if value is None or isinstance(value, str) else print_amounts(value)

    def clean(self, value: Any) -> tuple[Decimal, ...] | None:
        """Return the amounts; None where nothing is typed."""
        text = super().clean(value)
        return parse_amounts(text) if text else None


def parse_amounts(text: str) -> tuple[Decimal, ...]:
    """
    Return the amounts that ``text`` names, parted by spaces, lines or semicolons.

    Raises:
        ValidationError: a word is no number of at most 18 integer and 12 fraction digits, or there are too many.
    """
    words = re.sub(r"\s*[x×]\s*", "x", text.replace(";", " ")).split()
    found: list[Decimal] = []
    for word in words:
        count, times, amount = word.rpartition("x")
        if not AMOUNT.fullmatch(amount) or (times and not count.isdecimal()):
            raise ValidationError(f"“{word}” is no amount: write 25.50, or 300 x 25.50 for 300 such events.")
        number = int(count[:9]) if times else 1
        if len(found) + number > MAX_EVENTS:
            raise ValidationError(f"Name at most {MAX_EVENTS:,} events.")
        found += [Decimal(amount)] * number
    return tuple(found)


def print_amounts(amounts: Sequence[Decimal]) -> str:
    """Return ``amounts`` as :func:`parse_amounts` reads them, runs of equal ones together."""
    runs = ((amount, sum(1 for _ in run)) for amount, run in groupby(amounts))
    return "\n".join(f"{plain(one):f}" if count == 1 else f"{count} x {plain(one):f}" for one, count in runs)


class UsageRow(forms.Form):
    """Usage of one metric with one value of each dimension; a row without units and amounts is no usage."""

    def __init__(self, *args: Any, metric: Metric, by_event: bool, **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
        self.metric = metric
        for number, name in enumerate(metric.dimensions):
            self.fields[f"dimension_{number}"] = forms.CharField(label=name, max_length=255, required=False)
        self.fields["units"] = NumberField(label="Units")
        if by_event:
            self.fields["event_amounts"] = AmountsField(label="Amounts of events", required=False)
        dress(self)
        # The columns have headings; whoever hears the page is told at each box which one it is.
        row = (self.prefix or "").rpartition("-")[2]
        for field in self.fields.values():
            where = f"{metric}, row {int(row) + 1}" if row.isdecimal() else str(metric)
            field.widget.attrs["aria-label"] = f"{where}: {field.label}"

    @property
    def used(self) -> UnitsUsed | None:
        """The usage of a valid row; None where there is none."""
        cleaned = self.cleaned_data
        units, amounts = cleaned.get("units"), cleaned.get("event_amounts")
        if units is None and amounts is None:
            return None
        named = ((name, cleaned[f"dimension_{number}"].strip()) for number, name in enumerate(self.metric.dimensions))
        dimensions = {name: value for name, value in named if value}
        return UnitsUsed(metric=self.metric.pk, units=units, event_amounts=amounts, dimensions=dimensions)


UsageRows = forms.formset_factory(UsageRow, extra=0, max_num=MAX_ROWS, absolute_max=MAX_ROWS, validate_max=True)


@dataclass(frozen=True)
class Section:
    """The rows of one metric."""

    metric: Metric
    rows: Any
    #: Whether some charge prices each event, so that what events carry can be told.
    by_event: bool
    #: How many rows of the usage that was filled in have no room on the page.
    left_out: int = 0

    #: Whether some charge counts each unit for the days that it is held.
    prorated: bool = False

    @property
    def headings(self) -> list[str]:
        """What the columns are called."""
        return [*self.metric.dimensions, "Units", *(["Amounts of events"] if self.by_event else [])]

    @property
    def hints(self) -> list[str]:
        """What an operator should know of the units that are typed."""
        metric = self.metric
        told = {
            "Units are those at the end of the period, with what earlier periods have left.": metric.recurring,
            "Units are weighted by the part of the period that they are held.": metric.aggregation
            == Aggregation.WEIGHTED_SUM,
            "Of several rows of a charge the last one counts.": metric.aggregation == Aggregation.LATEST
            and metric.dimensions,
            "A charge is prorated: typed units count as held for the whole period.": self.prorated,
        }
        return [hint for hint, is_so in told.items() if is_so]


def sections_of(
    charges: Sequence[Charge], data: Any = None, usage: Sequence[UnitsUsed] | None = None, *, more: bool = False
) -> list[Section]:
    """
    Return a section for each metric that ``charges`` price, in their order.

    Its rows are those sent in ``data``, else those of ``usage``, else one for each value that a charge is limited to;
    ``more`` adds some to those sent.
    """
    metrics = {charge.metric_id: charge.metric for charge in charges}
    sections: list[Section] = []
    room = MAX_BOXES
    for pk, metric in metrics.items():
        of_metric = [one for one in charges if one.metric_id == pk]
        section = _sent_section(metric, of_metric, data, more=more) if usage is None else None
        section = section or _new_section(metric, of_metric, usage or (), room)
        sections.append(section)
        room -= len(section.rows.forms) * len(section.headings)
    return sections


def _options(metric: Metric, by_event: bool) -> dict[str, Any]:
    return {"prefix": str(metric.pk), "form_kwargs": {"metric": metric, "by_event": by_event}}


def _prices_events(charges: Sequence[Charge]) -> bool:
    return any(charge.model in PRICED_BY_EVENT for charge in charges)


def _prorates(charges: Sequence[Charge]) -> bool:
    return any(charge.prorated for charge in charges)


def _sent_section(metric: Metric, charges: Sequence[Charge], data: Any, *, more: bool) -> Section | None:
    """Return the rows of a metric as they were sent; None where they were not, because the metric is new here."""
    count = f"{metric.pk}-TOTAL_FORMS"
    if data is None or count not in data:
        return None
    sent = data.copy()
    if more and metric.dimensions and sent[count].isdecimal():
        sent[count] = str(min(int(sent[count]) + BLANK_ROWS, MAX_ROWS))
    by_event = _prices_events(charges)
    return Section(metric, UsageRows(sent, **_options(metric, by_event)), by_event, prorated=_prorates(charges))


def _new_section(metric: Metric, charges: Sequence[Charge], usage: Sequence[UnitsUsed], room: int) -> Section:
    """Return rows for the ``usage`` of a metric, without any those that are offered; ``room`` is counted in boxes."""
    by_event = _prices_events(charges)
    used = [_row(metric, one) for one in usage if one.metric == metric.pk]
    rows = used or list(_rows_offered(charges))
    # One row there is always, so that the metric can be told of at all.
    fitting = rows[: max(1, room // (len(metric.dimensions) + 1 + by_event) - BLANK_ROWS)]
    blank: list[dict[str, Any]] = [{}] * (BLANK_ROWS if metric.dimensions else not fitting)
    formset = UsageRows(initial=[*fitting, *blank], **_options(metric, by_event))
    left_out = len(used) - len(fitting) if used else 0
    return Section(metric, formset, by_event, left_out=left_out, prorated=_prorates(charges))


def _rows_offered(charges: Sequence[Charge]) -> Iterator[dict[str, Any]]:
    """Yield a row for each combination of values that a charge is limited to, each once."""
    metric = charges[0].metric
    combinations = chain.from_iterable(
        (dict(zip(charge.match, values, strict=True)) for values in product(*charge.match.values()))
        for charge in charges
        if charge.match
    )
    seen: list[Mapping[str, str]] = []
    for dimensions in islice(combinations, OFFERED_ROWS):
        if dimensions not in seen:
            seen.append(dimensions)
            yield _values(metric, dimensions)


def _row(metric: Metric, used: UnitsUsed) -> dict[str, Any]:
    units = None if used.units is None else plain(used.units)
    return {**_values(metric, used.dimensions), "units": units, "event_amounts": used.event_amounts}


def _values(metric: Metric, dimensions: Mapping[str, str]) -> dict[str, Any]:
    return {f"dimension_{number}": dimensions.get(name, "") for number, name in enumerate(metric.dimensions)}
