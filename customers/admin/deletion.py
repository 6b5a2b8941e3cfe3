"""What the delete page of customers asks for: guarded, or with all that is open for those who may."""

from __future__ import annotations

from typing import Any

from django import forms

from config.kernel.admin import DeletionForm
from config.kernel.guards import DeletionReport, Verdict
from customers.operations.deletion import DeletionMode

TERMINATE_PERMISSION = "customers.terminate_customer"

WHAT_IS_TERMINATED = (
    "Terminating ends the subscriptions now and draws their final invoices, finalizes the drafts, releases the holds "
    "and voids the balances, all at once. What is due then stays due: invoices can still be paid. "
    "Customers below the one that is to go have to be moved or deleted first."
)


class CustomerDeletionForm(DeletionForm):
    """Asks for the mode where there is a choice, and for a confirmation of what that mode does."""

    mode = forms.ChoiceField(
        choices=DeletionMode.choices,
        initial=DeletionMode.GUARDED,
        widget=forms.RadioSelect,
        help_text=WHAT_IS_TERMINATED,
    )
    field_order = ("mode", "confirm")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.may_terminate or not any(self._is_choice(report) for _, report in self.reports):
            del self.fields["mode"]
        if "confirm" in self.fields:
            # Whether it has to be given depends on the mode: clean() asks for it.
            self.fields["confirm"].required = False

    @property
    def may_terminate(self) -> bool:
        """Tell whether the operator may delete customers with all that is open."""
        user: Any = self.request.user
        return bool(user.has_perm(TERMINATE_PERMISSION))

    def warns(self, report: DeletionReport) -> bool:
        """Tell whether ``report`` names consequences in one of the modes there are."""
        return super().warns(report) or (self.may_terminate and self._is_choice(report))

    def allows(self, report: DeletionReport) -> bool:
        """Tell whether a customer with this ``report`` is deleted in the mode chosen; until one is, whether in any."""
        chosen = self.cleaned_data if self.is_valid() else {}
        if not chosen and "mode" in self.fields:
            return not report.outlasts_termination
        return self._deletes(report, chosen)

    def clean(self) -> dict[str, Any]:
        """Ask for the other mode where the one chosen deletes nothing, and to confirm what it brings with it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        reports = [report for _, report in self.reports if self._deletes(report, cleaned)]
        if "mode" in cleaned and not reports:
            self.add_error("mode", "Nothing can be deleted this way: see above what stands in the way")
        if any(report.verdict is not Verdict.ALLOW for report in reports) and not cleaned.get("confirm"):
            self.add_error("confirm", "Confirm that you want the consequences named above")
        return cleaned

    @staticmethod
    def _is_choice(report: DeletionReport) -> bool:
        """Tell whether termination deletes what is blocked otherwise."""
        return report.verdict is Verdict.BLOCK and not report.outlasts_termination

    @staticmethod
    def _deletes(report: DeletionReport, cleaned: dict[str, Any]) -> bool:
        """Tell whether a customer with this ``report`` is deleted in the mode that was chosen."""
        if cleaned.get("mode") == DeletionMode.TERMINATE:
            return not report.outlasts_termination
        return report.verdict is not Verdict.BLOCK
