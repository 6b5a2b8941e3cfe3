"""The forms of a rate plan: a draft with its charges, and the taxes of a plan whose prices are frozen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from catalog.admin.charge_set import BaseChargeFormSet, ChargesField, rows_of
from catalog.admin.choices import TaxesField
from catalog.admin.plan_terms import TERM_FIELDS, PlanTermsForm
from catalog.errors import ChargesCouldTie, InvalidCharge
from catalog.models import RatePlan
from config.kernel.admin import ActionForm
from config.kernel.errors import Invalid


class RatePlanForm(PlanTermsForm):
    """A draft with its charges."""

    taxes = TaxesField()
    charges = ChargesField(required=False)

    class Meta:
        model = RatePlan
        fields = ("product", "code", "name", "interval", "amount", "currency", "taxes", *TERM_FIELDS, "charges")
        labels: ClassVar = {"amount": "Base fee"}
        help_texts: ClassVar = {
            "code": "What integrations call the plan: lower-case letters, digits, “.”, “_” and “-”. Must be unique.",
            "name": "What customers read on their invoices.",
            "interval": "How long a billing period is.",
            "amount": "The base fee of each period, due with or without usage.",
            "currency": "The ISO 4217 code, for example EUR. Only customers in this currency can subscribe.",
            **PlanTermsForm.term_help_texts,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["charges"] = rows_of(self.instance)

    def full_clean(self) -> None:
        """Validate, and show a refusal of the charges also at the box it is about."""
        super().full_clean()
        if self.is_bound and self.refusal is not None:
            self["charges"].data.refuse(str(self.refusal.param), self.refusal.message)

    def clean(self) -> dict[str, Any]:
        """Refuse the form while a row of its charges is wrong."""
        cleaned = super().clean()
        if cleaned.get("charges") is None:
            self.add_error(None, "Correct the charges marked below.")
        return cleaned


class PlanTaxesForm(ActionForm):
    """The taxes of a plan whose prices are frozen."""

    taxes = TaxesField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        [plan] = self.objects
        self.initial = {"taxes": plan.taxes.all(), **self.initial}


@contextmanager
def charges_counted(rows: BaseChargeFormSet) -> Iterator[None]:
    """Tell above the form which charge a refusal is about, as the page counts its ``rows``."""
    try:
        yield
    except ChargesCouldTie as refusal:
        first, second = (int(str(refusal.details[which])) - 1 for which in ("first", "second"))
        told = ChargesCouldTie(first=rows.number_of(first), second=rows.number_of(second))
        raise Invalid(f"charges[{second}].match", told.message) from refusal
    except InvalidCharge as refusal:
        position = int(str(refusal.param).partition("[")[2].partition("]")[0])
        raise Invalid(str(refusal.param), f"Charge {rows.number_of(position)}: {refusal.message}") from refusal
