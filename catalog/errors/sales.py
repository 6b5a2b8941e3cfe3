"""Refusals about what is sold or deducted besides plans: add-ons, coupons and taxes."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


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
