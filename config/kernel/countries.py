"""Countries by their ISO 3166-1 alpha-2 codes, with the names of the Unicode CLDR (babel)."""

from __future__ import annotations

from functools import cache
from typing import Any

from babel import Locale
from django.core.exceptions import ValidationError
from django.db import models

#: Two-letter territories of the CLDR that are no countries of ISO 3166-1: exceptional reservations, groups, test codes.
NOT_ISO = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})


@cache
def countries() -> dict[str, str]:
    """Return the name of every country by its code, sorted by name."""
    territories = Locale("en").territories
    named = {code: name for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return dict(sorted(((code, name) for code, name in named.items() if code not in NOT_ISO), key=lambda one: one[1]))


def validate_country(code: str) -> None:
    """Raise ``ValidationError`` unless ``code`` is an ISO 3166-1 alpha-2 code in upper case."""
    if code not in countries():
        raise ValidationError("“%(code)s” is not an ISO 3166-1 country code.", code="invalid", params={"code": code})


class CountryField(models.CharField[Any, Any]):
    """The alpha-2 code of a country, or nothing."""

    def __init__(self, *args: Any, **options: Any) -> None:
        for name, value in {"max_length": 2, "blank": True, "default": "", "validators": [validate_country]}.items():
            options.setdefault(name, value)
        super().__init__(*args, **options)
