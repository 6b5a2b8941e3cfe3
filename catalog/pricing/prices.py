"""
Choose the pricing model: the one place where a model's name meets its class.

To add a model, write its frozen dataclass with ``parse`` and ``rate``, name it in ``catalog.models.ChargeModel`` and
``Price``, and enter it in ``PARSERS``.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext

from catalog.models import ChargeModel
from catalog.pricing.errors import InvalidPrice
from catalog.pricing.package import PackagePrice
from catalog.pricing.properties import Properties
from catalog.pricing.ratings import EXACT, ZERO, Rating
from catalog.pricing.standard import StandardPrice
from catalog.pricing.tiered import GraduatedPrice, VolumePrice

Price = StandardPrice | GraduatedPrice | VolumePrice | PackagePrice

PARSERS: Mapping[ChargeModel, Callable[[Properties], Price]] = {
    ChargeModel.STANDARD: StandardPrice.parse,
    ChargeModel.GRADUATED: GraduatedPrice.parse,
    ChargeModel.VOLUME: VolumePrice.parse,
    ChargeModel.PACKAGE: PackagePrice.parse,
}


def parse_price(model: str, properties: Mapping[str, object]) -> Price:
    """
    Return the price that a charge's model and properties describe.

    Numbers are decimal strings or integers: not negative, at most 18 integer digits and 12 decimals; never floats.

    Raises:
        InvalidPrice: the model is unknown (``param`` is ``model``), or the properties are not that model's.
    """
    if model not in PARSERS:
        raise InvalidPrice("model", f"model must be one of {', '.join(PARSERS)}.")
    return PARSERS[ChargeModel(model)](Properties(properties))


def rate(price: Price, units: Decimal) -> Rating:
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
