"""Forms of the admin: what an action asks for, and a record's form with its optional reason."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from django import forms
from django.http import HttpRequest

from config.kernel.admin.theme import dress
from config.kernel.errors import DomainError
from config.kernel.guards import DeletionReport, Verdict, deletion_report
from config.kernel.money import plain

if TYPE_CHECKING:
    BaseModelForm = forms.ModelForm[Any]
else:
    BaseModelForm = forms.ModelForm

Reason = Literal["required", "optional"] | None


class ActionForm(forms.Form):
    """
    What an action asks for; subclasses declare plain Django fields, widgets of the theme are put in here.

    ``self.objects`` are the records concerned (none for a list action) and ``self.request`` is the request, both
    set before a subclass fills its choices. The field ``reason`` is added by the action.
    """

    #: A template that tells, above the fields, what the action will do; ``form`` is this form.
    outlook_template: ClassVar[str] = ""

    def __init__(self, *args: Any, objects: Sequence[Any] = (), request: HttpRequest, **kwargs: Any) -> None:
        self.objects = objects
        self.request = request
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        dress(self)

    def ask_reason(self, reason: Reason) -> None:
        """Add the question why, last."""
        if reason is None:
            return
        self.fields["reason"] = forms.CharField(
            label="Reason",
            max_length=500,
            required=reason == "required",
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="Kept in the history of every object concerned.",
        )
        dress(self)

    def refuse(self, refusal: DomainError) -> None:
        """Show ``refusal`` at the field it concerns, else above the form."""
        add_refusal(self, refusal)


class AmountInput(forms.DecimalField):
    """A decimal that is edited without the trailing zeros it is stored with."""

    def prepare_value(self, value: Any) -> Any:
        """Return a stored amount in its shortest form, and an operator's own input as it is."""
        return plain(value) if isinstance(value, Decimal) else value


class RecordForm(BaseModelForm):
    """The form of a record's page; an admin with a form of its own derives it from this one."""

    change_reason = forms.CharField(
        label="Reason for this change",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the history.",
    )

    #: Set by the admin when an operation has refused this very input.
    refusal: ClassVar[DomainError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def validate_unique(self) -> None:
        """Leave it to the operation, which refuses in words and under its lock."""

    def _post_clean(self) -> None:
        # Django's form lets the model check the constraints too, whose names would then be what the operator reads.
        instance: Any = self.instance
        instance.full_clean = partial(instance.full_clean, validate_constraints=False)
        try:
            super()._post_clean()  # type: ignore[misc]
        finally:
            del instance.full_clean

    def full_clean(self) -> None:
        """Validate, and add the refusal that the same input has just met."""
        super().full_clean()
        if self.is_bound and self.refusal is not None:
            add_refusal(self, self.refusal)


class DeletionForm(ActionForm):
    """What a deletion asks for: a confirmation where a guard warns; ``self.reports`` are the objects' reports."""

    confirm = forms.BooleanField(label="I have read the warnings and want to delete all the same")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reports = [(obj, deletion_report(obj)) for obj in self.objects]
        if not any(self.warns(report) for _, report in self.reports):
            del self.fields["confirm"]

    def warns(self, report: DeletionReport) -> bool:
        """Tell whether ``report`` names consequences that have to be confirmed."""
        return report.verdict is Verdict.WARN

    def allows(self, report: DeletionReport) -> bool:
        """Tell whether an object with this ``report`` can be deleted as the form has been filled in."""
        return report.verdict is not Verdict.BLOCK


def add_refusal(form: forms.BaseForm, refusal: DomainError) -> None:
    """Add ``refusal`` to the errors of ``form``, at the field it concerns where the form has it."""
    form.add_error(refusal.param if refusal.param in form.fields else None, refusal.message)
