"""Refusals of the catalog."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class DuplicateCode(DomainError):
    """Another object of this kind has the code; ``details`` gives it."""

    code = "duplicate_code"
    type = ErrorType.CONFLICT
    sentence = "The code '{value}' is already in use"
    param = "code"


class InvalidStageTransition(DomainError):
    """A product goes one step forward at a time; ``details.allowed`` names the one that is open, if any."""

    code = "invalid_stage_transition"
    type = ErrorType.CONFLICT
    sentence = "A product in {stage} cannot move to {to}"
    param = "to"


class InvalidPublishStatus(DomainError):
    """The publish status goes by its steps; ``details.allowed`` names those that are open."""

    code = "invalid_publish_status"
    type = ErrorType.CONFLICT
    sentence = "A product that is {publish_status} cannot become {to}"
    param = "to"


class ExperimentalNotPublished(InvalidPublishStatus):
    """What is tested internally only is kept out of the storefront."""

    sentence = "A product in EXPERIMENTAL cannot become {to}; advance it first"


class NoOpenapiUrl(DomainError):
    """There is nothing to fetch the documentation from."""

    code = "no_openapi_url"
    type = ErrorType.CONFLICT
    sentence = "The product has no OpenAPI URL to fetch its documentation from"


class ProductDeletionBlocked(DomainError):
    """Something stands in the way of the deletion; ``details`` is the report."""

    code = "product_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The product cannot be deleted while something stands in the way"


class ProductDeletionNeedsConfirmation(DomainError):
    """The deletion has consequences that have to be confirmed; ``details`` is the report."""

    code = "product_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"


class MetricDeletionBlocked(DomainError):
    """Rate plans charge for the metric; ``details`` is the report."""

    code = "metric_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The metric cannot be deleted while a rate plan charges for it"


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


class DuplicateGatewayName(DomainError):
    """Another gateway has the name; ``details`` gives it."""

    code = "duplicate_name"
    type = ErrorType.CONFLICT
    sentence = "A gateway called '{value}' exists already"
    param = "name"


class DuplicateMapping(DomainError):
    """Another mapping links a product to the same object; ``details`` gives it."""

    code = "duplicate_mapping"
    type = ErrorType.CONFLICT
    sentence = "'{value}' at this gateway is linked to a product already"
    param = "external_ref"


class ProductMappedAlready(DomainError):
    """A product stands once at a gateway; ``details`` gives its name."""

    code = "product_mapped_already"
    type = ErrorType.CONFLICT
    sentence = "'{value}' is mapped to this gateway already; another stage needs a gateway connection of its own"
    param = "product"


class GatewayDeletionBlocked(DomainError):
    """Something stands in the way of the deletion; ``details`` is the report."""

    code = "gateway_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The gateway cannot be deleted while products are mapped to it"


class GatewayMarkInUse(DomainError):
    """The mark of a gateway with mappings is on what we made there, and is not changed."""

    code = "gateway_mark_in_use"
    type = ErrorType.CONFLICT
    sentence = "The mark cannot change while products are mapped to the gateway: what carries it would be left behind"
    param = "mark"


class MappingDeletionNeedsConfirmation(DomainError):
    """The deletion has consequences that have to be confirmed; ``details`` is the report."""

    code = "gateway_mapping_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"


class GatewayUnusable(DomainError):
    """A test of the connection failed; ``details`` gives the failure's code, and the HTTP status where there is one."""

    code = "gateway_unusable"
    type = ErrorType.CONFLICT
    sentence = "{reason}"


class TaxDeletionBlocked(DomainError):
    """Something uses the tax; ``details`` is the report."""

    code = "tax_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The tax cannot be deleted while something uses it"


class AddOnDeletionBlocked(DomainError):
    """Something stands in the way of the deletion; ``details`` is the report."""

    code = "add_on_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The add-on cannot be deleted while something stands in the way"


class CouponDeletionBlocked(DomainError):
    """Something stands in the way of the deletion; ``details`` is the report."""

    code = "coupon_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The coupon cannot be deleted while something stands in the way; terminate it instead"


class CouponAlreadyTerminated(DomainError):
    """A coupon is terminated once and for good."""

    code = "coupon_already_terminated"
    type = ErrorType.CONFLICT
    sentence = "The coupon is terminated already"
