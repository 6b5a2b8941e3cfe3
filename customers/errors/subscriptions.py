"""Refusals about subscriptions."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType, Invalid


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


class SubscriptionEndsInThePast(Invalid):
    """A subscription ends in the future, and after it begins; ``param`` is the field that says otherwise."""

    def __init__(self, param: str = "at") -> None:
        super().__init__(param, "The end of a subscription must be in the future and after its start")


class PlanUnchanged(DomainError):
    """A change of plan names another plan."""

    code = "plan_unchanged"
    type = ErrorType.CONFLICT
    sentence = "The subscription has this plan already"
    param = "plan"


class CredentialsDoNotFit(DomainError):
    """The keys move over with a change of plan, so the new product must take the same kind."""

    code = "credentials_do_not_fit"
    type = ErrorType.CONFLICT
    sentence = (
        "The subscription's keys do not fit a product of the type {product_type}; start a new subscription instead"
    )
    param = "plan"


class SubscriptionNotActive(DomainError):
    """Only a running subscription can change its plan."""

    code = "subscription_not_active"
    type = ErrorType.CONFLICT
    sentence = "The subscription is {status}; only an active one can change its plan"


class NoPendingChange(DomainError):
    """There is no change of plan to cancel."""

    code = "no_pending_change"
    type = ErrorType.CONFLICT
    sentence = "The subscription has no pending change of plan"


class PlanChangePending(DomainError):
    """The planned end of a subscription is where its next plan begins, until that change is canceled."""

    code = "plan_change_pending"
    type = ErrorType.CONFLICT
    sentence = "The subscription changes its plan then; cancel the pending change first"
    param = "ends_at"


class SubscriptionEndsFirst(DomainError):
    """A change to a cheaper plan waits for the end of the period, which the subscription does not live to see."""

    code = "subscription_ends_first"
    type = ErrorType.CONFLICT
    sentence = "A cheaper plan would begin at the end of the period, but the subscription ends before it"
    param = "plan"
