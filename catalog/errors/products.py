"""Refusals about products, metrics, and codes that are in use."""

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
