"""
Choose the pricing model: the one place where a model's name meets its class.

To add a model, write its frozen dataclass with ``parse`` and ``rate``, or ``parse`` and ``begin`` where each event is
priced by itself. Name it in ``catalog.models.ChargeModel`` and in ``UnitPrice`` or ``EventPrice``, and enter it in
``PARSERS``.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext

from catalog.models import ChargeModel
from catalog.pricing.dynamic import DynamicPrice
from catalog.pricing.errors import InvalidPrice
from catalog.pricing.graduated_percentage import GraduatedPercentagePrice
from catalog.pricing.package import PackagePrice
from catalog.pricing.percentage import PercentagePrice
from catalog.pricing.properties import Properties
from catalog.pricing.ratings import EXACT, ZERO, Rating
from catalog.pricing.standard import StandardPrice
from catalog.pricing.tiered import GraduatedPrice, VolumePrice

#: What the units of a period suffice for, and what needs the amount of each event.
UnitPrice = StandardPrice | GraduatedPrice | VolumePrice | PackagePrice | GraduatedPercentagePrice
EventPrice = PercentagePrice | DynamicPrice
Price = UnitPrice | EventPrice

PARSERS: Mapping[ChargeModel, Callable[[Properties], Price]] = {
    ChargeModel.STANDARD: StandardPrice.parse,
    ChargeModel.GRADUATED: GraduatedPrice.parse,
    ChargeModel.VOLUME: VolumePrice.parse,
    ChargeModel.PACKAGE: PackagePrice.parse,
    ChargeModel.PERCENTAGE: PercentagePrice.parse,
    ChargeModel.GRADUATED_PERCENTAGE: GraduatedPercentagePrice.parse,
    ChargeModel.DYNAMIC: DynamicPrice.parse,
}


def parse_price(model: str, properties: Mapping[str, object]) -> Price:
    """
    Return the price that a charge's model and properties describe.

    Numbers are decimal strings, Decimals or integers: not negative, at most 18 integer digits and 12 decimals; never
    floats.

    Raises:
        InvalidPrice: the model is unknown (``param`` is ``model``), or the properties are not that model's.
    """
    if model not in PARSERS:
        raise InvalidPrice("model", f"model must be one of {', '.join(PARSERS)}.")
    return PARSERS[ChargeModel(model)](Properties(properties))


def rate(price: UnitPrice, units: Decimal) -> Rating:
    """
    Return what ``units`` cost, exact and unrounded, tier by tier; negative units bill as none.

    Raises:
        ValueError: the units are infinite or not a number.
        decimal.Inexact: the units have so many decimals (above 70) that the amount would need rounding.
    """
    if not units.is_finite():
        raise ValueError(f"Units must be a finite number, not {units}.")
    with localcontext(EXACT):
        return price.rate(max(units, ZERO))


class Tally:
    """What a price by the event comes to for the events added so far, in the order they happened; exact, unrounded."""

    def __init__(self, price: EventPrice) -> None:
        self._tally = price.begin()

    def add(self, amount: Decimal) -> Decimal:
        """
        Count an event that carries ``amount`` and return what it adds to the bill.

        Raises:
            ValueError: the amount is infinite or not a number.
            decimal.Inexact: the amount has so many decimals that what it adds would need rounding.
        """
        if not amount.is_finite():
            raise ValueError(f"What an event carries must be a finite number, not {amount}.")
        with localcontext(EXACT):
            return self._tally.add(amount)

    def rating(self) -> Rating:
        """Return what all events come to, those priced alike together; it is the sum of what each added."""
        with localcontext(EXACT):
            return self._tally.rating()


def rate_events(price: EventPrice, amounts: Iterable[Decimal]) -> Rating:
    """
    Return what events cost that carry ``amounts``, in the order they happened.

    Raises:
        ValueError, decimal.Inexact: as :meth:`Tally.add`.
    """
    tally = Tally(price)
    for amount in amounts:
        tally.add(amount)
    return tally.rating()
