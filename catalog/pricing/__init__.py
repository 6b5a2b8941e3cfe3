"""
Price usage: turn a charge's model and properties into a price, and a price and usage into an amount.

Pure arithmetic in ``Decimal``, exact and unrounded; ``config/kernel/money.py`` rounds the invoice line afterwards.
"""

from catalog.pricing.dynamic import DynamicPrice
from catalog.pricing.errors import InvalidPrice
from catalog.pricing.graduated_percentage import GraduatedPercentagePrice
from catalog.pricing.package import PackagePrice
from catalog.pricing.percentage import PercentagePrice
from catalog.pricing.prices import EventPrice, Price, Tally, UnitPrice, parse_price, rate, rate_events
from catalog.pricing.properties import as_decimal_strings
from catalog.pricing.prorated import ProratedPrice, ProratedTally
from catalog.pricing.ratings import Rating, TierAmount
from catalog.pricing.settlement import Settlement, maximum_of, settle_late, settle_period
from catalog.pricing.standard import StandardPrice
from catalog.pricing.tiered import GraduatedPrice, Tier, VolumePrice

__all__ = [
    "DynamicPrice",
    "EventPrice",
    "GraduatedPercentagePrice",
    "GraduatedPrice",
    "InvalidPrice",
    "PackagePrice",
    "PercentagePrice",
    "Price",
    "ProratedPrice",
    "ProratedTally",
    "Rating",
    "Settlement",
    "StandardPrice",
    "Tally",
    "Tier",
    "TierAmount",
    "UnitPrice",
    "VolumePrice",
    "as_decimal_strings",
    "maximum_of",
    "parse_price",
    "rate",
    "rate_events",
    "settle_late",
    "settle_period",
]
