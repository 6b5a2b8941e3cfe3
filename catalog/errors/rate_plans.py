"""Refusals about rate plans, their charges and prices."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class RatePlanDeletionBlocked(DomainError):
    """Somebody subscribes to the plan, or did; ``details`` is the report."""

    code = "rate_plan_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The rate plan cannot be deleted while something stands in the way"


class RatePlanDeletionNeedsConfirmation(DomainError):
    """The deletion has consequences that have to be confirmed; ``details`` is the report."""

    code = "rate_plan_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"


class RatePlanNotDraft(DomainError):
    """Only a draft's prices can be changed or the plan activated; a change of an active plan is a new version."""

    code = "rate_plan_not_draft"
    type = ErrorType.CONFLICT
    sentence = "The rate plan is {status}; only a DRAFT can be changed or activated"


class RatePlanNotActive(DomainError):
    """Only an active plan can be archived."""

    code = "rate_plan_not_active"
    type = ErrorType.CONFLICT
    sentence = "The rate plan is {status}, not ACTIVE"


class LimitsNotUsable(DomainError):
    """A plan's limits cannot be meant; ``param`` names the one, ``details.reason`` says why."""

    code = "invalid_limits"
    type = ErrorType.VALIDATION
    sentence = "{reason}"
    param = "limits"


class NoEarlierVersion(DomainError):
    """There is nothing before this version that it could be compared with."""

    code = "no_earlier_version"
    type = ErrorType.VALIDATION
    sentence = "The rate plan has no earlier version; name the plan to compare it with"
    param = "against"


class InvalidCharge(DomainError):
    """A charge's price or match cannot be used; ``param`` names the place, ``details.reason`` says why."""

    code = "invalid_charges"
    type = ErrorType.VALIDATION
    sentence = "{reason}"
    param = "charges"


class ChargesCouldTie(DomainError):
    """Two charges of one metric would claim the same event with equal right; ``details`` gives their positions."""

    code = "charges_could_tie"
    type = ErrorType.VALIDATION
    sentence = "Charges {first} and {second} could both claim the same event"
    param = "charges"


class UsageNotCharged(DomainError):
    """No charge of the plan claims the usage; ``param`` says which."""

    code = "usage_not_charged"
    type = ErrorType.VALIDATION
    sentence = "No charge of the plan claims this usage"


class EventAmountsNeeded(DomainError):
    """The usage is priced event by event, so its units do not suffice; ``param`` says what is missing."""

    code = "event_amounts_needed"
    type = ErrorType.VALIDATION
    sentence = "A {model} charge prices each event: say what the events carry, not their units"
