"""Price units by a percentage that depends on the tier each unit falls in."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from catalog.pricing.properties import Properties
from catalog.pricing.ratings import EXACT
from catalog.pricing.tiered import GraduatedPrice, Tier


@dataclass(frozen=True, slots=True)
class GraduatedPercentagePrice(GraduatedPrice):
    """A graduated price whose unit amounts are shares: a tier of 1.5 percent has the unit amount 0.015."""

    tier_keys: ClassVar[tuple[str, ...]] = ("up_to", "rate_percent", "flat_amount")

    @classmethod
    def read_tier(cls, fields: Properties, *, up_to: Decimal | None) -> Tier:
        """
        Read ``{"rate_percent", "flat_amount"}``; ``flat_amount`` is 0 unless given.

        Raises:
            InvalidPrice: the percentage is missing, or a number is out of bounds.
        """
        share = EXACT.scaleb(fields.amount("rate_percent"), -2)
        return Tier(up_to=up_to, unit_amount=share, flat_amount=fields.amount("flat_amount", default="0"))
