"""Refusals about customers and subscriptions."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class DuplicateEmail(DomainError):
    """Another live customer has the e-mail address, in whatever case."""

    code = "duplicate_email"
    type = ErrorType.CONFLICT
    sentence = "A customer with email '{email}' already exists"
    param = "email"


class DuplicateExternalId(DomainError):
    """Another live customer has the external id."""

    code = "duplicate_external_id"
    type = ErrorType.CONFLICT
    sentence = "A customer with external id '{external_id}' already exists"
    param = "external_id"


class CustomerFieldLocked(DomainError):
    """``external_id`` and ``currency`` stay once something is assigned to the customer."""

    code = "customer_field_locked"
    type = ErrorType.CONFLICT
    sentence = "'{field}' cannot change: the customer has {reason}"


class SystemCustomer(DomainError):
    """The UNCLASSIFIED customer is the bucket for usage that belongs to nobody and stays as it is."""

    code = "system_customer"
    type = ErrorType.CONFLICT
    sentence = "The UNCLASSIFIED customer cannot be changed, suspended, subscribed or deleted"


class SuspensionEndsInThePast(DomainError):
    """``until`` is not after now."""

    code = "invalid_until"
    type = ErrorType.VALIDATION
    sentence = "The end of a suspension must be in the future"
    param = "until"


class CustomerNotSuspended(DomainError):
    """Only a suspended customer can be reactivated."""

    code = "customer_not_suspended"
    type = ErrorType.CONFLICT
    sentence = "The customer is not suspended"


class CustomerIsSuspended(DomainError):
    """A suspended customer takes no new subscriptions or keys."""

    code = "customer_suspended"
    type = ErrorType.CONFLICT
    sentence = "The customer is suspended"


class CustomerDeletionBlocked(DomainError):
    """Something stands in the way of the deletion; ``details`` is the report."""

    code = "customer_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The customer cannot be deleted while something stands in the way"


class CustomerDeletionNeedsConfirmation(DomainError):
    """The deletion has consequences that have to be confirmed; ``details`` is the report."""

    code = "customer_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"


class ProductNotSubscribable(DomainError):
    """Only products in BETA or GA take new subscriptions."""

    code = "product_not_subscribable"
    type = ErrorType.CONFLICT
    sentence = "A product in {stage} takes no new subscriptions"


class PlanNotActive(DomainError):
    """Only an active rate plan takes new subscriptions."""

    code = "rate_plan_not_active"
    type = ErrorType.CONFLICT
    sentence = "The rate plan is {status}; only an ACTIVE one takes subscriptions"
    param = "plan"


class CurrencyMismatch(DomainError):
    """A customer subscribes in its own currency only."""

    code = "currency_mismatch"
    type = ErrorType.CONFLICT
    sentence = "The plan is in {plan}, the customer in {customer}"
    param = "plan"


class DuplicateSubscriptionExternalId(DomainError):
    """Another subscription that has not ended has the external id."""

    code = "duplicate_external_id"
    type = ErrorType.CONFLICT
    sentence = "A subscription with external id '{external_id}' already exists"
    param = "external_id"


class SubscriptionEnded(DomainError):
    """The subscription is terminated or canceled already."""

    code = "subscription_ended"
    type = ErrorType.CONFLICT
    sentence = "The subscription is {status}"


class ProductHasSubscriptions(DomainError):
    """A product retires only when no live subscription is left."""

    code = "product_has_subscriptions"
    type = ErrorType.CONFLICT
    sentence = "The product has {count} live subscription(s)"
