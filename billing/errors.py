"""Refusals of billing."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class DuplicateWallet(DomainError):
    """The customer has an open wallet of the currency and name."""

    code = "duplicate_wallet"
    type = ErrorType.CONFLICT
    sentence = "The customer has a wallet in {currency} named '{name}' already"
    param = "name"


class WalletClosed(DomainError):
    """A terminated wallet takes no money and no holds."""

    code = "wallet_closed"
    type = ErrorType.CONFLICT
    sentence = "The wallet is terminated"


class InsufficientFunds(DomainError):
    """The wallet's spendable balance is below the amount asked for; ``details`` gives both in currency units."""

    code = "insufficient_funds"
    type = ErrorType.CONFLICT
    sentence = "{spendable} can be spent, {asked} was asked for"
    param = "amount"


class HoldReferenceConflict(DomainError):
    """The reference names a hold of another amount; ``details`` gives both in currency units."""

    code = "hold_reference_conflict"
    type = ErrorType.CONFLICT
    sentence = "The reference '{reference}' names a hold of {held}, not of {asked}"
    param = "reference"


class HoldAlreadyEnded(DomainError):
    """A hold ends once; ``details`` says how."""

    code = "hold_already_ended"
    type = ErrorType.CONFLICT
    sentence = "The hold is {status} already"


class CommitExceedsHold(DomainError):
    """No more can be committed than the hold still keeps; ``details`` gives both in currency units."""

    code = "commit_exceeds_hold"
    type = ErrorType.CONFLICT
    sentence = "The hold keeps {rest}, {asked} was to be committed"
    param = "amount"


class InvoiceNotDraft(DomainError):
    """Only a draft can be refreshed or finalized."""

    code = "invoice_not_draft"
    type = ErrorType.CONFLICT
    sentence = "The invoice is {status}, not a draft"


class InvoiceNotOpen(DomainError):
    """Payments go on a finalized invoice with something due; ``details`` says what it is."""

    code = "invoice_not_open"
    type = ErrorType.CONFLICT
    sentence = "The invoice is {status} and has nothing due"


class NothingSuggested(DomainError):
    """Neither its subscriber nor an e-mail domain tells whose usage it is."""

    code = "no_suggested_customer"
    type = ErrorType.CONFLICT
    sentence = "Nothing suggests whose usage that is"


class TooManyEvents(DomainError):
    """More events would have to be read one by one than one answer takes; ``details.limit`` says how many it takes."""

    code = "too_many_events"
    type = ErrorType.VALIDATION
    sentence = "More than {limit} events of {month} would have to be priced one by one"
    param = "month"
