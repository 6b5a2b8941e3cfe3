"""The form of one charge: what is counted and what it costs, without any JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.admin.charge_rows import RowsField, Table, filled, table_of
from catalog.admin.match_rows import MATCH_COLUMNS, match_error, read_match, rows_of_match
from catalog.admin.tier_rows import TIER_COLUMNS, TIERED, read_tiers, rows_of_tiers, tier_error
from catalog.models import ChargeModel
from catalog.operations.rate_plans import ChargeSpec
from catalog.pricing import InvalidPrice, parse_price
from config.kernel.admin.theme import dress
from config.kernel.money import plain

TIER_PATH = re.compile(r"tiers\[(\d+)\]\.(\w+)")


class NumberField(forms.DecimalField):
    """A number with the bounds of every price; the pricing decides which of them a model needs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=Decimal(0), max_digits=30, decimal_places=12, required=False, **options)


class ChargeForm(forms.Form):
    """One charge; which of the price fields count depends on the model."""

    metric = forms.ChoiceField(help_text="What is counted.")
    model = forms.ChoiceField(label="Pricing model", choices=ChargeModel.choices, initial=ChargeModel.STANDARD)
    name = forms.CharField(label="Name", max_length=200, required=False, help_text="Optional: the text of its lines.")
    match = RowsField(
        MATCH_COLUMNS,
        label="Only for",
        help_text="Limits the charge to usage with one of the values, separated by commas; without rows it is for all.",
    )
    unit_amount = NumberField(label="Price per unit")
    tiers = RowsField(
        TIER_COLUMNS,
        label="Tiers",
        help_text="Each tier ends with the units in “Up to”, which stays empty in the last one. "
        "The flat amount is due once when the tier is reached.",
    )
    package_size = NumberField(label="Units in a package")
    amount = NumberField(label="Price per started package")
    free_units = NumberField(label="Free units", help_text="Units before the first package; 0 where left empty.")
    rate_percent = NumberField(label="Percentage", help_text="Of what each event adds to the metric: 2.9")
    fixed_amount = NumberField(label="Fixed amount per event", help_text="On top of the percentage.")
    free_events = NumberField(label="Free events", help_text="How many come first; empty for no such limit.")
    free_amount = NumberField(
        label="Free amount", help_text="Of what events carry; with free events, only while both last."
    )
    minimum_per_event = NumberField(label="Minimum per event", help_text="Percentage and fixed amount together.")
    maximum_per_event = NumberField(label="Maximum per event", help_text="Percentage and fixed amount together.")
    multiplier = NumberField(label="Multiplier", help_text="1 where left empty.")
    minimum_amount = NumberField(
        label="Minimum per period", help_text="What the charge comes to at least, used or not; empty for none."
    )
    prorated = forms.BooleanField(
        label="Prorated", required=False, help_text="A unit counts for the part of the period it was held."
    )

    #: The price fields of each model.
    model_fields: Mapping[str, Sequence[str]] = {
        ChargeModel.STANDARD: ("unit_amount",),
        ChargeModel.GRADUATED: ("tiers",),
        ChargeModel.VOLUME: ("tiers",),
        ChargeModel.PACKAGE: ("package_size", "amount", "free_units"),
        ChargeModel.PERCENTAGE: (
            "rate_percent", "fixed_amount", "free_events", "free_amount", "minimum_per_event", "maximum_per_event"
        ),
        ChargeModel.GRADUATED_PERCENTAGE: ("tiers",),
        ChargeModel.DYNAMIC: ("property", "multiplier"),
    }  # fmt: skip

    def __init__(
        self, *args: Any, metrics: Sequence[tuple[str, str]], dimensions: Sequence[str] = (), **kwargs: Any
    ) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
        self.dimensions = dimensions
        self.fields["metric"].choices = [("", "Select a metric"), *metrics]  # type: ignore[attr-defined]
        # Not among the others, because Python's own «property» has to stay what it is in the body of the class.
        self.fields["property"] = forms.CharField(
            label="Property", max_length=100, required=False, help_text="Which event property carries the amount: cost"
        )
        dress(self)

    @property
    def price_rows(self) -> list[tuple[forms.BoundField, list[str]]]:
        """The price fields, each with the models it belongs to."""
        names = dict.fromkeys(name for fields in self.model_fields.values() for name in fields)
        return [(self[name], [m for m, fields in self.model_fields.items() if name in fields]) for name in names]

    @property
    def tier_table(self) -> Table:
        """The rows of the tiers, as they are drawn."""
        return table_of(self["tiers"])

    @property
    def match_table(self) -> Table:
        """The rows of the match, as they are drawn."""
        return table_of(self["match"])

    def clean_tiers(self) -> dict[int, dict[str, Any]]:
        """Read the tiers, each by the place of its row; those of another model are left alone."""
        model = self.cleaned_data.get("model", "")
        return read_tiers(self.cleaned_data["tiers"], model, NumberField()) if model in TIERED else {}

    def clean_match(self) -> dict[str, list[str]]:
        """Read the rows."""
        return read_match(self.cleaned_data["match"])

    def clean(self) -> dict[str, Any]:
        """Ask the pricing whether the numbers make a price, and put its complaint at the field it is about."""
        cleaned = self.cleaned_data
        if not self.errors and not cleaned.get("DELETE"):
            try:
                parse_price(cleaned["model"], self.properties)
            except InvalidPrice as error:
                self.add_error(*self._complaint(error))
        return cleaned

    @property
    def properties(self) -> dict[str, object]:
        """The price as the pricing reads it."""
        values = {name: self.cleaned_data[name] for name in self.model_fields[self.cleaned_data["model"]]}
        if "tiers" in values:
            values["tiers"] = list(values["tiers"].values())
        return {
            name: f"{value:f}" if isinstance(value, Decimal) else value
            for name, value in values.items()
            if value is not None and value != ""
        }

    @property
    def spec(self) -> ChargeSpec:
        """The charge as the operation takes it."""
        cleaned = self.cleaned_data
        return ChargeSpec(
            metric=cleaned["metric"],
            model=cleaned["model"],
            properties=self.properties,
            match=cleaned["match"],
            name=cleaned["name"],
            minimum_amount=cleaned["minimum_amount"] or Decimal(0),
            prorated=cleaned["prorated"],
        )

    def refuse(self, name: str, key: str, reason: str) -> None:
        """Show what the operation refused at the field ``name``; of a match at the row of the dimension ``key``."""
        rows = filled(self["match"].value() or ()) if name == "match" else {}
        place = next((one for one, row in rows.items() if row["dimension"] == key), None)
        if place is None:
            self.add_error(name if name in self.fields else None, reason)
        else:
            column = "dimension" if rows[place]["values"] else "values"
            self.add_error(name, match_error(place, column, reason))

    def _complaint(self, error: InvalidPrice) -> tuple[str, str | ValidationError]:
        """Return the field and the error of a price that cannot be; that of a tier is about one of its boxes."""
        if error.param == "tiers":
            return error.param, "Fill in at least one tier."
        tier = TIER_PATH.match(error.param)
        name = tier[2] if tier else error.param
        _, _, complaint = str(error).partition(f"{name} ")
        if tier is None:
            noun = "property" if name == "property" else "number"
            return name, f"This {noun} {complaint}" if complaint else str(error)
        return "tiers", tier_error(list(self.cleaned_data["tiers"])[int(tier[1])], name, complaint)


def row_of(charge: Any) -> dict[str, Any]:
    """Return the row of a stored charge or of a :class:`ChargeSpec`."""
    values = {name: value for name, value in charge.properties.items() if name != "tiers"}
    numbers = {name: value if name == "property" else _shortest(value) for name, value in values.items()}
    return {
        "metric": str(charge.metric_id if hasattr(charge, "metric_id") else charge.metric),
        "model": str(charge.model),
        "name": charge.name,
        "match": rows_of_match(charge.match),
        "tiers": rows_of_tiers(charge.properties.get("tiers", [])),
        "minimum_amount": _shortest(charge.minimum_amount) if charge.minimum_amount else "",
        "prorated": charge.prorated,
        **numbers,
    }


def _shortest(number: object) -> str:
    return f"{plain(Decimal(str(number))):f}"
