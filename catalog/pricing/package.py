"""Price units by the started package."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from catalog.pricing.properties import Properties
from catalog.pricing.ratings import ZERO, Rating, TierAmount, started_packages, sum_up


@dataclass(frozen=True, slots=True)
class PackagePrice:
    """``amount`` in currency units for each started package of ``package_size`` units beyond the ``free_units``."""

    package_size: Decimal
    amount: Decimal
    free_units: Decimal

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """
        Read ``{"package_size", "amount", "free_units"}``; ``free_units`` is 0 unless given.

        Raises:
            InvalidPrice: a property is missing, unknown or out of bounds; a package size of 0.
        """
        properties.allow_only("package_size", "amount", "free_units")
        return cls(
            package_size=properties.positive("package_size"),
            amount=properties.amount("amount"),
            free_units=properties.amount("free_units", default="0"),
        )

    def rate(self, units: Decimal) -> Rating:
        """Return the free units, if any, and the packages begun beyond them as one tier each."""
        tiers: list[TierAmount] = []
        free = min(units, self.free_units)
        if free:
            tiers.append(TierAmount(ZERO, self.free_units, free, ZERO, ZERO, ZERO))
        if units > free:
            paid = units - free
            amount = started_packages(paid, self.package_size) * self.amount
            tiers.append(TierAmount(self.free_units, None, paid, self.amount, ZERO, amount, self.package_size))
        return sum_up(tiers)
