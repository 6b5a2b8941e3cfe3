"""Read a charge's properties strictly: exact decimals, known keys, and an error that names its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.pricing.errors import InvalidPrice

MAX_DECIMALS = 12
MAX_INTEGER_DIGITS = 18
MAX_LENGTH = 64
MAX_TEXT = 100

# Decimal() alone would also take underscores, other scripts' digits, NaN and Infinity. Exponents are allowed because
# Python itself writes small prices that way: str(Decimal("0.000000005")) is "5E-9".
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Properties:
    """
    A mapping from outside together with its place, which every refusal names.

    ``path`` precedes the key in ``InvalidPrice.param`` (``tiers[1].``); ``place`` begins the sentence (``Tier 2: ``).
    """

    values: Mapping[str, object]
    path: str = ""
    place: str = ""

    def invalid(self, key: str, complaint: str) -> InvalidPrice:
        """Return the refusal of the value at ``key``; ``complaint`` continues a sentence that begins with the key."""
        return InvalidPrice(f"{self.path}{key}", f"{self.place}{key} {complaint}.")

    def allow_only(self, *keys: str) -> None:
        """
        Refuse any key that is not listed.

        Raises:
            InvalidPrice: an unknown key, which is most often a misspelt one and would otherwise bill nothing.
        """
        for key in self.values:
            if key not in keys:
                raise self.invalid(str(key), f"is not known here; known are {', '.join(keys)}")

    def required(self, key: str) -> object:
        """
        Return the raw value at ``key``.

        Raises:
            InvalidPrice: the key is missing.
        """
        if key not in self.values:
            raise self.invalid(key, "is missing")
        return self.values[key]

    def amount(self, key: str, *, default: str | None = None) -> Decimal:
        """
        Return the number at ``key``: zero or more, at most 18 integer digits and 12 decimals, as ``numeric(30,12)``.

        Raises:
            InvalidPrice: neither a decimal string nor a number, out of bounds, or missing without a default.
        """
        value = default if default is not None and key not in self.values else self.required(key)
        number = self._number(key, value)
        if number.is_signed():
            raise self.invalid(key, "must not be negative")
        if number.adjusted() >= MAX_INTEGER_DIGITS:
            raise self.invalid(key, f"must have at most {MAX_INTEGER_DIGITS} digits before the decimal point")
        if -int(number.as_tuple().exponent) > MAX_DECIMALS:
            raise self.invalid(key, f"must have at most {MAX_DECIMALS} decimals")
        return number

    def amount_or_none(self, key: str) -> Decimal | None:
        """
        Return the number at ``key`` like ``amount``, or None where there is none.

        Raises:
            InvalidPrice: neither a decimal string nor a number, or out of bounds.
        """
        return self.amount(key) if key in self.values else None

    def whole(self, key: str, *, default: str) -> Decimal:
        """
        Return the number at ``key`` like ``amount``, but without decimals.

        Raises:
            InvalidPrice: as ``amount``, or the number has a fraction.
        """
        number = self.amount(key, default=default)
        if number != number.to_integral_value():
            raise self.invalid(key, "must be a whole number")
        return number

    def text(self, key: str) -> str:
        """
        Return the text at ``key``: 1 to 100 printable characters, as the property of a metric.

        Raises:
            InvalidPrice: missing, no text, empty or too long.
        """
        value = self.required(key)
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable() and not value.isspace():
            return value
        raise self.invalid(key, f"must be a text of 1 to {MAX_TEXT} characters")

    def positive(self, key: str) -> Decimal:
        """
        Return the number at ``key`` like ``amount``, but above zero.

        Raises:
            InvalidPrice: as ``amount``, or the number is zero.
        """
        number = self.amount(key)
        if not number:
            raise self.invalid(key, "must be above 0")
        return number

    def _number(self, key: str, value: object) -> Decimal:
        """Return a number or a string of one as a Decimal; a float is no longer what was typed, so it is refused."""
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and Decimal(value).is_finite():
            return Decimal(value)
        if isinstance(value, str) and len(value) <= MAX_LENGTH and NUMBER.fullmatch(value):
            return Decimal(value)
        raise self.invalid(key, 'must be a decimal number, like 0.05, or a string of one, like "0.05"')


def as_decimal_strings(value: Any) -> Any:
    """Return properties as they are kept: numbers as decimal strings without an exponent, all else as it is."""
    if isinstance(value, Mapping):
        return {key: as_decimal_strings(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_decimal_strings(one) for one in value]
    return f"{Decimal(value):f}" if isinstance(value, int | Decimal) else value
