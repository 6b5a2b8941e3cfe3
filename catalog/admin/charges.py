"""The charges of a draft as rows of a form: one form field that is edited without any JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from catalog.admin.charge_texts import (
    ABOVE,
    SHARE_COLUMNS,
    TIER_COLUMNS,
    line_of_tier,
    parse_match,
    parse_tiers,
    print_match,
    print_tiers,
)
from catalog.models import ChargeModel, Metric, RatePlan
from catalog.operations.rate_plans import ChargeSpec
from catalog.pricing import InvalidPrice, parse_price
from config.kernel.admin.theme import dress
from config.kernel.money import plain

MAX_CHARGES = 200
TIER_PATH = re.compile(r"tiers\[(\d+)\]")


class LinesField(forms.CharField):
    """A text of several lines."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def __init__(self, **options: Any) -> None:
        # Lines are counted as the operator sees them, empty ones at the top included.
        super().__init__(strip=False, required=False, **options)


class NumberField(forms.DecimalField):
    """A number with the bounds of every price; the pricing decides which of them a model needs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=Decimal(0), max_digits=30, decimal_places=12, required=False, **options)


class ChargeForm(forms.Form):
    """One charge; which of the price fields count depends on the model."""

    metric = forms.ChoiceField(help_text="What is counted.")
    model = forms.ChoiceField(label="Pricing model", choices=ChargeModel.choices, initial=ChargeModel.STANDARD)
    name = forms.CharField(label="Name", max_length=200, required=False, help_text="Optional: the text of its lines.")
    match = LinesField(
        label="Only for",
        help_text="Limits the charge to some usage. A line per dimension: model = gpt-4o, gpt-4o-mini",
    )
    unit_amount = NumberField(label="Price per unit")
    tiers = LinesField(
        label="Tiers",
        help_text=f"A line per tier: its last unit, the price per unit (or the percentage) and, if any, a flat amount. "
        f"The last line begins with “{ABOVE}”: 1000 0.10 5",
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

    def __init__(self, *args: Any, metrics: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
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

    def clean_tiers(self) -> Any:
        """Read the lines; those of another model are left alone."""
        is_tiered = "tiers" in self.model_fields.get(self.cleaned_data.get("model", ""), ())
        return parse_tiers(self.cleaned_data["tiers"], self._tier_columns) if is_tiered else []

    @property
    def _tier_columns(self) -> Mapping[str, str]:
        """What the columns of a tier's line are."""
        is_share = self.cleaned_data.get("model") == ChargeModel.GRADUATED_PERCENTAGE
        return SHARE_COLUMNS if is_share else TIER_COLUMNS

    def clean_match(self) -> dict[str, list[str]]:
        """Read the lines."""
        return parse_match(self.cleaned_data["match"])

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
        )

    def _complaint(self, error: InvalidPrice) -> tuple[str, str]:
        """Return the field and the sentence of a price that cannot be; a tier is named by its line."""
        if error.param == "tiers":
            return error.param, "Write at least one line."
        tier = TIER_PATH.match(error.param)
        if tier is None:
            _, _, complaint = str(error).partition(f"{error.param} ")
            noun = "property" if error.param == "property" else "number"
            return error.param, f"This {noun} {complaint}" if complaint else str(error)
        line = line_of_tier(self.data[self.add_prefix("tiers")], int(tier[1]))
        column = error.param.rpartition(".")[2]
        return "tiers", f"Line {line}: the {self._tier_columns[column]} {str(error).partition(f'{column} ')[2]}"


class BaseChargeFormSet(forms.BaseFormSet[ChargeForm]):
    """The rows; those left empty and those marked for removal are no charges."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        metrics = Metric.objects.order_by("name").values_list("pk", "name", "code")
        choices = [(str(pk), f"{name} ({code})") for pk, name, code in metrics]
        super().__init__(*args, **{**kwargs, "form_kwargs": {"metrics": choices}})

    def add_fields(self, form: ChargeForm, index: int | None) -> None:
        """Say in words what the box of each row is for."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove this charge"

    @property
    def specs(self) -> list[ChargeSpec]:
        """The charges of a valid set of rows, in their order."""
        return [form.spec for form in self.forms if form.has_changed() and form not in self.deleted_forms]


ChargeFormSet = forms.formset_factory(
    ChargeForm,
    formset=BaseChargeFormSet,
    extra=1,
    can_delete=True,
    max_num=MAX_CHARGES,
    absolute_max=MAX_CHARGES,
    validate_max=True,
)


class ChargesWidget(forms.Widget):
    """Rows of charges, with a button for one more."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the rows sent."""
        return ChargeFormSet(data, prefix=name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Tell whether the rows are missing."""
        return f"{name}-TOTAL_FORMS" not in data

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the rows, those sent with their errors."""
        return render_to_string("catalog/charge_rows.html", {"rows": self.rows_of(name, value)})

    def rows_of(self, name: str, value: Any) -> Any:
        """Return the rows sent, or those of the stored charges."""
        return value if isinstance(value, ChargeFormSet) else ChargeFormSet(prefix=name, initial=value or [])


class ChargesField(forms.Field):
    """The charges of a plan: rows in, :class:`ChargeSpec` out; None where a row is wrong, which says itself what is."""

    widget = ChargesWidget

    def clean(self, value: Any) -> list[ChargeSpec] | None:
        """Return the charges of the rows; an error here would paint all of them red."""
        return list(value.specs) if value.is_valid() else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what the rows say with what they said."""
        return not data.is_valid() or [row_of(spec) for spec in data.specs] != [*(initial or [])]


def rows_of(plan: RatePlan) -> list[dict[str, Any]]:
    """Return the rows of a stored plan."""
    return [row_of(charge) for charge in plan.charges.all()]


def row_of(charge: Any) -> dict[str, Any]:
    """Return the row of a stored charge or of a :class:`ChargeSpec`."""
    values = {name: value for name, value in charge.properties.items() if name != "tiers"}
    numbers = {name: value if name == "property" else _shortest(value) for name, value in values.items()}
    return {
        "metric": str(charge.metric_id if hasattr(charge, "metric_id") else charge.metric),
        "model": str(charge.model),
        "name": charge.name,
        "match": print_match(charge.match),
        "tiers": print_tiers(charge.properties.get("tiers", [])),
        **numbers,
    }


def _shortest(number: object) -> str:
    return f"{plain(Decimal(str(number))):f}"
