"""Price units that were held for a part of a period only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from catalog.pricing.ratings import EXACT, ZERO, Rating, TierAmount, sum_up
from catalog.pricing.standard import StandardPrice
from catalog.pricing.tiered import GraduatedPrice, VolumePrice

#: The prices that parts of a unit have.
ProratedPrice = StandardPrice | GraduatedPrice | VolumePrice

FINEST = Decimal("1e-12")
PRECISE = Context(prec=120)


@dataclass(slots=True)
class ProratedTally:
    """
    What a price comes to for units that came and went, each for ``days`` of the ``whole`` days of a period.

    Changes are added in the order they happened. The full units decide about tiers, their share in the time about the
    amount: in a graduated price each unit pays, for its days, in the tier that it was in when it came, and the flat
    amount of every tier is due that the units ever reached; in a volume price the tier is the one of the units at the
    end (as Lago does both). Units below zero are none.
    """

    price: ProratedPrice
    whole: int
    level: Decimal = ZERO
    highest: Decimal = ZERO
    #: Units times days, by the bound above which their tier begins.
    held: dict[Decimal, Decimal] = field(default_factory=dict)

    def add(self, units: Decimal, days: int) -> None:
        """Let the level rise by ``units``, or fall, which holds for the last ``days`` of the period."""
        with localcontext(EXACT):
            before, after = max(self.level, ZERO), max(self.level + units, ZERO)
            self.level += units
            self.highest = max(self.highest, after)
            sign = 1 if after > before else -1
            for above, part in self._parts(min(before, after), max(before, after)):
                self.held[above] = self.held.get(above, ZERO) + sign * part * days

    @property
    def units(self) -> Decimal:
        """The units by their share in the time, with 12 decimals."""
        with localcontext(EXACT):
            return sum((tier.units for tier in self.rating().tiers), ZERO)

    def rating(self) -> Rating:
        """Return what the units come to: tier by tier, where the price has tiers."""
        with localcontext(EXACT):
            if isinstance(self.price, GraduatedPrice):
                return sum_up(list(self._tiers(self.price)))
            units = self._share(sum(self.held.values(), ZERO))
            if isinstance(self.price, StandardPrice):
                return self.price.rate(units)
            above, tier = next(one for one in self.price.spans() if one[1].holds(max(self.level, ZERO)))
            return sum_up([tier.price(units, above=above)])

    def _parts(self, start: Decimal, end: Decimal) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield how many of the units from ``start`` to ``end`` lie above which bound; all where no tiers add up."""
        if not isinstance(self.price, GraduatedPrice):
            yield ZERO, end - start
            return
        for above, tier in self.price.spans():
            part = (end if tier.up_to is None else min(end, tier.up_to)) - max(start, above)
            if part > 0:
                yield above, part

    def _tiers(self, price: GraduatedPrice) -> Iterator[TierAmount]:
        """Yield the tiers that were reached, of which the first always is."""
        for above, tier in price.spans():
            if above == ZERO or self.highest > above:
                yield tier.price(self._share(self.held.get(above, ZERO)), above=above)

    def _share(self, held: Decimal) -> Decimal:
        return PRECISE.divide(held, Decimal(self.whole)).quantize(FINEST, rounding=ROUND_HALF_UP, context=PRECISE)
