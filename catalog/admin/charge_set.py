"""The charges of a draft as forms one below the other: one field of the plan's form."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from catalog.admin.charges import ChargeForm, row_of
from catalog.models import Metric, RatePlan
from catalog.operations.rate_plans import ChargeSpec

MAX_CHARGES = 200
CHARGE_PATH = re.compile(r"charges\[(\d+)\]\.(\w+)\.?(.*)")


class BaseChargeFormSet(forms.BaseFormSet[ChargeForm]):
    """The rows; those left empty and those marked for removal are no charges."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        metrics = list(Metric.objects.order_by("name").values_list("pk", "name", "code", "dimensions"))
        choices = [(str(pk), f"{name} ({code})") for pk, name, code, _ in metrics]
        #: The dimensions of each metric, for the script that offers those of the metric chosen.
        self.dimensions = {str(pk): dimensions for pk, _, _, dimensions in metrics if dimensions}
        every = sorted({one for dimensions in self.dimensions.values() for one in dimensions})
        super().__init__(*args, **{**kwargs, "form_kwargs": {"metrics": choices, "dimensions": every}})

    def add_fields(self, form: ChargeForm, index: int | None) -> None:
        """Say in words what the box of each row is for."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove this charge"

    @property
    def dimensions_json(self) -> str:
        """The dimensions of each metric as the script reads them."""
        return json.dumps(self.dimensions)

    @property
    def kept(self) -> list[ChargeForm]:
        """The rows of a valid set that are charges, in their order."""
        return [form for form in self.forms if form.has_changed() and form not in self.deleted_forms]

    @property
    def specs(self) -> list[ChargeSpec]:
        """The charges of a valid set of rows, in their order."""
        return [form.spec for form in self.kept]

    def number_of(self, position: int) -> int:
        """Return the number that the page shows above the charge at ``position`` of the specs, both from 1 and 0."""
        return self.forms.index(self.kept[position]) + 1

    def refuse(self, path: str, reason: str) -> None:
        """Show what the operation refused in the row, and at the box, of its path: ``charges[1].match.region``."""
        if place := CHARGE_PATH.fullmatch(path):
            position = int(place[1])
            # Which charge it is needs no saying where it stands.
            said = reason.removeprefix(f"Charge {self.number_of(position)}: ")
            self.kept[position].refuse(place[2], place[3], said)


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

    class Media:
        js = ("catalog/charges.js",)

    #: The rows sent: what is validated is also what is shown with its errors.
    sent: Any = None

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the rows sent."""
        if self.sent is None or self.sent.data is not data:
            self.sent = ChargeFormSet(data, prefix=name)
        return self.sent

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
