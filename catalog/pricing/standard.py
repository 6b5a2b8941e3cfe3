"""Price every unit the same."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from catalog.pricing.properties import Properties
from catalog.pricing.ratings import ZERO, Rating, TierAmount, sum_up


@dataclass(frozen=True, slots=True)
class StandardPrice:
    """``unit_amount`` in currency units for each unit."""

    unit_amount: Decimal

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """
        Read ``{"unit_amount"}``.

        Raises:
            InvalidPrice: a property is missing, unknown or out of bounds.
        """
        properties.allow_only("unit_amount")
        return cls(unit_amount=properties.amount("unit_amount"))

    def rate(self, units: Decimal) -> Rating:
        """Return units times unit amount as one open tier; no units, no tier."""
        if not units:
            return sum_up([])
        amount = units * self.unit_amount
        return sum_up([TierAmount(ZERO, None, units, self.unit_amount, ZERO, amount)])
