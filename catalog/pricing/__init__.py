"""
Price usage: turn a charge's model and properties into a price, and a price and units into an amount.

Pure arithmetic in ``Decimal``, exact and unrounded; ``config/kernel/money.py`` rounds the invoice line afterwards.
"""

from catalog.pricing.errors import InvalidPrice
from catalog.pricing.package import PackagePrice
from catalog.pricing.prices import Price, parse_price, rate
from catalog.pricing.ratings import Rating, TierAmount
from catalog.pricing.standard import StandardPrice
from catalog.pricing.tiered import GraduatedPrice, Tier, VolumePrice

__all__ = [
    "GraduatedPrice",
    "InvalidPrice",
    "PackagePrice",
    "Price",
    "Rating",
    "StandardPrice",
    "Tier",
    "TierAmount",
    "VolumePrice",
    "parse_price",
    "rate",
]
