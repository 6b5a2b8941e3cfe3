"""Price events by the amounts they carry themselves."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from catalog.pricing.properties import Properties
from catalog.pricing.ratings import ZERO, Rating, TierAmount, sum_up


@dataclass(frozen=True, slots=True)
class DynamicPrice:
    """The sum of what events carry as ``property``, in currency units, times ``multiplier``."""

    property: str
    multiplier: Decimal

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """
        Read ``{"property", "multiplier"}``; ``multiplier`` is 1 unless given.

        Raises:
            InvalidPrice: a property is missing, unknown or out of bounds.
        """
        properties.allow_only("property", "multiplier")
        return cls(property=properties.text("property"), multiplier=properties.amount("multiplier", default="1"))

    def begin(self) -> "DynamicTally":
        """Return a tally without events."""
        return DynamicTally(self)


@dataclass(slots=True)
class DynamicTally:
    """What a price comes to for the events so far."""

    price: DynamicPrice
    events: int = 0
    total: Decimal = ZERO

    def add(self, amount: Decimal) -> Decimal:
        """Count one more event and return what it adds; a sum below 0 bills nothing, as units below 0 do."""
        before = max(self.total, ZERO)
        self.events += 1
        self.total += amount
        return (max(self.total, ZERO) - before) * self.price.multiplier

    def rating(self) -> Rating:
        """Return what all events come to as one open tier; nothing carried, no tier."""
        units = max(self.total, ZERO)
        if not units:
            return sum_up([])
        share = self.price.multiplier
        return sum_up([TierAmount(ZERO, None, units, share, ZERO, units * share, events=self.events)])
