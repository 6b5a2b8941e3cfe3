"""The terms of a rate plan besides its prices, at the desk: trial, minimum, maximum, and each limit a number."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html_join

from catalog.limits import BY_NAME, LIMIT_KINDS, MOST_REQUESTS, InvalidLimits, limits_of, parse_limits
from catalog.models import RatePlan
from config.kernel.admin import RecordForm, display, money_column
from config.kernel.admin.columns import NOTHING


def _limit(name: str, help_text: str = "Empty for no limit.") -> forms.IntegerField:
    return forms.IntegerField(
        label=BY_NAME[name].label, min_value=1, max_value=MOST_REQUESTS, required=False, help_text=help_text
    )


class PlanTermsForm(RecordForm):
    """The terms of a draft; ``cleaned_data`` has its limits together as ``limits``."""

    rate_per_second = _limit("rate_per_second")
    rate_per_minute = _limit("rate_per_minute")
    rate_per_hour = _limit("rate_per_hour")
    burst = _limit("burst", "Requests at once by which a rate may be exceeded for a moment; empty for none.")
    quota_per_day = _limit("quota_per_day")
    quota_per_week = _limit("quota_per_week")
    quota_per_month = _limit("quota_per_month")

    term_help_texts: ClassVar = {
        "minimum_commitment": "What a period comes to at least, base fee and usage together: what is missing is billed "
        "at its end. A part of a period is measured by its days. Empty for none.",
        "maximum_spend": "What a period, also a part of one, comes to at most: usage beyond it is not billed. "
        "Empty for none.",
        "trial_days": "For so many days from its start a subscription costs nothing but its usage. Empty for none.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(self.instance.limits)
        if "trial_days" in self.fields:
            self.fields["trial_days"].required = False

    def clean_trial_days(self) -> int:
        """Take an empty field for no trial."""
        return self.cleaned_data["trial_days"] or 0

    def clean(self) -> dict[str, Any]:
        """Gather the limits, and put the complaint about one at its field."""
        cleaned = self.cleaned_data
        limits = {kind.name: cleaned.pop(kind.name) for kind in LIMIT_KINDS if kind.name in cleaned}
        try:
            cleaned["limits"] = parse_limits(limits)
        except InvalidLimits as error:
            self.add_error(error.param, f"{error}.")
        return cleaned


@display(description="limits")
def limits_shown(plan: RatePlan) -> str:
    """Show the limits of a plan that cannot be changed, a line each."""
    lines = ((limit.of.label, f"{limit.count:,}") for limit in limits_of(plan.limits))
    return format_html_join("", "<p>{}: {}</p>", lines) or NOTHING


TRIAL = ("trial_days", "pay_in_advance")
BOUNDS = ("minimum_commitment", "maximum_spend")
LIMITS = tuple(kind.name for kind in LIMIT_KINDS)
#: What a form asks for.
TERM_FIELDS = (*BOUNDS, *TRIAL, *LIMITS)
TERM_SECTIONS = [
    ("Commitments and trial", {"fields": [BOUNDS, TRIAL]}),
    ("Limits", {"fields": [LIMITS[:2], LIMITS[2:4], LIMITS[4:6], LIMITS[6]]}),
]
BOUNDS_SHOWN = tuple(money_column(name) for name in BOUNDS)
#: What is no input on any page.
TERM_COLUMNS = (*BOUNDS_SHOWN, limits_shown)
#: What there is to read of a plan that cannot be changed.
TERMS_SHOWN = (*BOUNDS_SHOWN, *TRIAL, limits_shown)
SECTIONS_SHOWN = [
    ("Commitments and trial", {"fields": [BOUNDS_SHOWN, TRIAL]}),
    ("Limits", {"fields": [limits_shown]}),
]
