"""Refusals about customers."""

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


class CustomerIsInactive(DomainError):
    """An inactive customer takes no new subscriptions or keys."""

    code = "customer_inactive"
    type = ErrorType.CONFLICT
    sentence = "The customer is inactive"


class CircularParent(DomainError):
    """A customer cannot stand below itself, directly or through others."""

    code = "circular_parent"
    type = ErrorType.CONFLICT
    sentence = "A customer cannot stand below itself"
    param = "parent"


class HierarchyTooDeep(DomainError):
    """A tree of customers has a bounded depth; ``details.deepest`` is the bound."""

    code = "hierarchy_too_deep"
    type = ErrorType.CONFLICT
    sentence = "A tree of customers is at most {deepest} deep"
    param = "parent"
