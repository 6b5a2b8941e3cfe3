"""The price bench: what usage would cost on a plan, tier by tier, beside what it costs on another; nothing is kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog.admin.bench_rows import Section, UsageRow, sections_of
from catalog.admin.bench_shown import comparison_shown, price_shown, uncharged_shown
from catalog.errors import EventAmountsNeeded
from catalog.models import RatePlan
from catalog.queries.charges import charges_of
from catalog.queries.plan_diffs import version_before
from catalog.queries.plan_prices import plan_price, price_otherwise
from catalog.queries.prices import PlanPrice, UnitsUsed
from config.kernel.admin import ModelAdmin, own_page, page_action
from config.kernel.admin.forms import add_refusal
from config.kernel.admin.theme import dress
from config.kernel.errors import DomainError


class PlanChoiceField(forms.ModelChoiceField[RatePlan]):
    """A plan, named with its code and version."""

    def label_from_instance(self, obj: Any) -> str:
        """Name the plan so that no two look alike."""
        return f"{obj.name} ({obj.code}, version {obj.version}, {obj.get_status_display().lower()})"


class ComparisonForm(forms.Form):
    """Asks which plan the usage is priced on besides."""

    against = PlanChoiceField(
        label="Compare with", queryset=RatePlan.objects.none(), required=False, empty_label="No other plan",
        help_text="Another version, or any other plan in the same currency.",
    )  # fmt: skip

    def __init__(self, *args: Any, plan: RatePlan, **kwargs: Any) -> None:
        kwargs |= {"label_suffix": "", "initial": {"against": version_before(plan)}}
        super().__init__(*args, **kwargs)
        others: Any = self.fields["against"]
        others.queryset = (
            RatePlan.objects.filter(currency=plan.currency).exclude(pk=plan.pk).order_by("code", "version")
        )
        dress(self)

    @property
    def chosen(self) -> RatePlan | None:
        """The plan that is chosen; before anything is sent, the version before."""
        if not self.is_bound:
            return self.initial["against"]  # type: ignore[no-any-return]
        chosen: RatePlan | None = self.cleaned_data.get("against") if self.is_valid() else None
        return chosen


class UsageSource(forms.Form):
    """Where usage is filled in from; a higher app that keeps usage derives the one that there is."""

    #: What an operator must be allowed to.
    permission: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
        dress(self)

    @abstractmethod
    def usage(self, plans: Sequence[RatePlan]) -> Sequence[UnitsUsed]:
        """Return the usage of what a valid form names, as ``plans`` price it; a refusal is shown at the form."""

    @abstractmethod
    def told(self, usage: Sequence[UnitsUsed]) -> str:
        """Return the sentence that says what was filled in."""


class Bench:
    """One look at the bench: what was asked, and what came of it."""

    def __init__(self, plan: RatePlan, data: Any, source: type[UsageSource] | None) -> None:
        self.plan, self.data = plan, data
        self.usage: Sequence[UnitsUsed] = ()
        self.choice = ComparisonForm(data, plan=plan)
        self.against = self.choice.chosen
        self.is_filling = source is not None and data is not None and "fill" in data
        self.source = None if source is None else self._asking(source)
        self.filled = self._filled()
        plans = [plan] if self.against is None else [plan, self.against]
        charges = [charge for one in plans for charge in charges_of(one.pk)]
        more = data is not None and "more" in data
        self.sections: list[Section] = sections_of(charges, data, self.filled, more=more)
        is_asked = data is not None and not more and (not self.is_filling or self.filled is not None)
        self.prices = self._prices() if is_asked and not self.choice.errors else []

    def _asking(self, source: type[UsageSource]) -> UsageSource:
        """Return the source's form; unless it is asked to fill in, what stands in it is only kept."""
        if self.is_filling:
            return source(self.data)
        return source(initial={name: self.data[name] for name in source.base_fields if name in (self.data or ())})

    def _filled(self) -> Sequence[UnitsUsed] | None:
        """Return the usage that the source knows; None where it is not asked, or refuses."""
        if self.source is None or not self.is_filling or self.choice.errors or not self.source.is_valid():
            return None
        try:
            return self.source.usage([self.plan] if self.against is None else [self.plan, self.against])
        except DomainError as refusal:
            add_refusal(self.source, refusal)
            return None

    def _asked(self) -> list[tuple[UsageRow | None, UnitsUsed]] | None:
        """Return the usage to price, each with its row where there is one; None where a row is wrong and says so."""
        if self.filled is not None:
            return [(None, used) for used in self.filled]
        # All of them are looked at, so that every wrong row is told at once.
        are_valid = [section.rows.is_valid() for section in self.sections]
        return list(self._rows()) if all(are_valid) else None

    def _prices(self) -> list[PlanPrice]:
        """Return what the usage comes to on the plan and on the one it is compared with, as far as it can be said."""
        asked = self._asked()
        if asked is None:
            return []
        self.usage = [used for _, used in asked]
        found: list[PlanPrice] = []
        try:
            found.append(plan_price(self.plan, self.usage))
            if self.against is not None:
                found.append(price_otherwise(self.plan, self.against, self.usage))
        except EventAmountsNeeded as refusal:
            self._complain(asked, refusal, self.against if found else None)
        return found

    def _rows(self) -> Iterator[tuple[UsageRow, UnitsUsed]]:
        for section in self.sections:
            for row in section.rows.forms:
                if row.used is not None:
                    yield row, row.used

    def _complain(
        self, rows: Sequence[tuple[UsageRow | None, UnitsUsed]], refusal: EventAmountsNeeded, other: RatePlan | None
    ) -> None:
        """Put a refusal at the row that it is about, else at the plan that is compared with."""
        position = int(str(refusal.param).partition("[")[2].partition("]")[0])
        row = rows[position][0]
        where = "" if other is None else f"{other}: "
        if row is not None and "event_amounts" in row.fields:
            row.add_error("event_amounts", f"{where}{refusal.message}")
        else:
            self.choice.add_error("against", f"{where}{refusal.message}")


class PriceBench(ModelAdmin):
    """The bench as a page of every plan, be it a draft or not."""

    usage_source: ClassVar[type[UsageSource] | None] = None

    @page_action("Price bench", permissions=["view"], icon="calculate")
    def price_bench(self, request: HttpRequest, plan: RatePlan) -> HttpResponseBase:
        """Price usage on the plan and show how it comes about."""
        source = self.usage_source
        if source is not None and not request.user.has_perm(source.permission):
            source = None
        bench = Bench(plan, request.POST if request.method == "POST" else None, source)
        shown = {
            "bench": bench,
            "told": bench.source.told(bench.filled) if bench.source is not None and bench.filled is not None else "",
            "prices": [price_shown(price) for price in bench.prices],
            "uncharged": uncharged_shown(bench.usage, bench.prices),
            "comparison": comparison_shown(bench.prices),
            "media": bench.source.media if bench.source is not None else "",
            "back_url": self.object_url(plan),
        }
        return own_page(self, request, "catalog/price_bench.html", title="Price bench", obj=plan, context=shown)
