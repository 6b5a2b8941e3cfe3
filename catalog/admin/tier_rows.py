"""The tiers of a price as rows of boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.admin.charge_rows import CellError, Column, filled
from catalog.models import ChargeModel
from config.kernel.money import plain

BY_UNIT = (ChargeModel.GRADUATED, ChargeModel.VOLUME)
BY_SHARE = (ChargeModel.GRADUATED_PERCENTAGE,)
TIERED = (*BY_UNIT, *BY_SHARE)

TIER_COLUMNS = (
    Column(name="up_to", label="Up to", models=TIERED),
    Column(name="unit_amount", label="Price per unit", models=BY_UNIT),
    Column(name="rate_percent", label="Percentage", models=BY_SHARE),
    Column(name="flat_amount", label="Flat amount", models=TIERED, placeholder="0"),
    Column(name="package_size", label="Package size", models=BY_UNIT, placeholder="1"),
)


def read_tiers(rows: Sequence[Mapping[str, str]], model: str, number: forms.DecimalField) -> dict[int, dict[str, Any]]:
    """
    Return the tiers of the rows that hold something, by their place, as the pricing reads them.

    Columns of another ``model`` are left alone; ``number`` reads the boxes. Whether the numbers make a price is for
    the pricing to say.

    Raises:
        ValidationError: a :class:`CellError` for each box that holds no number, or an end of the last tier.
    """
    names = [column.name for column in TIER_COLUMNS if model in column.models]
    shown = filled([{name: row.get(name, "") for name in names} for row in rows])
    errors: list[CellError] = []
    tiers: dict[int, dict[str, Any]] = {}
    for place, row in shown.items():
        tiers[place] = {"up_to": None}
        for name, text in row.items():
            try:
                value = number.clean(text)
            except ValidationError as error:
                complaint = error.messages[0]
                errors.append(tier_error(place, name, f"{complaint[0].lower()}{complaint[1:]}"))
                continue
            if value is not None:
                tiers[place][name] = f"{value:f}"
    if tiers and not errors and tiers[last := max(tiers)]["up_to"] is not None:
        errors.append(tier_error(last, "up_to", "must be left empty, because the last tier has no end; or add a tier."))
    if errors:
        raise ValidationError(errors)
    return tiers


def tier_error(place: int, column: str, complaint: str) -> CellError:
    """Return the error of one box of a tier; ``complaint`` is a sentence, or the rest of one about the box."""
    label = next(one.label for one in TIER_COLUMNS if one.name == column).lower()
    subject = f"the {label} " if complaint.startswith("is ") else ""
    return CellError(f"Tier {place + 1}: {subject}{complaint}", row=place, column=column)


def rows_of_tiers(tiers: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the rows of stored tiers, numbers in their shortest form."""
    return [
        {
            column.name: "" if tier.get(column.name) is None else f"{plain(Decimal(str(tier[column.name]))):f}"
            for column in TIER_COLUMNS
        }
        for tier in tiers
    ]
