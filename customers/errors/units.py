"""Refusals about what belongs to a customer: teams, agents and subscribers."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class DuplicateTeamName(DomainError):
    """Another live team of the customer has the name."""

    code = "duplicate_name"
    type = ErrorType.CONFLICT
    sentence = "The customer has a team '{name}' already"
    param = "name"


class DuplicateTeamExternalId(DomainError):
    """Another live team of the customer has the external id."""

    code = "duplicate_external_id"
    type = ErrorType.CONFLICT
    sentence = "The customer has a team with external id '{external_id}' already"
    param = "external_id"


class TeamDeletionBlocked(DomainError):
    """A team with agents stays; ``details`` is the report."""

    code = "team_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The team cannot be deleted while something stands in the way"


class DuplicateAgentName(DomainError):
    """Another live agent of the team has the name."""

    code = "duplicate_name"
    type = ErrorType.CONFLICT
    sentence = "The team has an agent '{name}' already"
    param = "name"


class TeamOfAnotherCustomer(DomainError):
    """An agent moves between the teams of one customer only."""

    code = "team_of_another_customer"
    type = ErrorType.CONFLICT
    sentence = "The team belongs to another customer"
    param = "team"


class AgentNotSuspended(DomainError):
    """Only a suspended agent can be reactivated."""

    code = "agent_not_suspended"
    type = ErrorType.CONFLICT
    sentence = "The agent is not suspended"


class AgentDeletionNeedsConfirmation(DomainError):
    """Keys are bound to the agent; ``details`` is the report."""

    code = "agent_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"


class DuplicateSubscriberEmail(DomainError):
    """Another live subscriber of the customer has the e-mail address, in whatever case."""

    code = "duplicate_email"
    type = ErrorType.CONFLICT
    sentence = "The customer has a subscriber with email '{email}' already"
    param = "email"


class DuplicateSubscriberId(DomainError):
    """Another live subscriber of the customer has the subscriber ID."""

    code = "duplicate_subscriber_id"
    type = ErrorType.CONFLICT
    sentence = "The customer has a subscriber with the subscriber ID '{subscriber_id}' already"
    param = "subscriber_id"


class SubscriberCustomerLocked(DomainError):
    """Only a subscriber of the UNCLASSIFIED customer can be reassigned."""

    code = "subscriber_customer_locked"
    type = ErrorType.CONFLICT
    sentence = "Only a subscriber of the UNCLASSIFIED customer can be moved to another one"
    param = "customer"


class NoSuggestedCustomer(DomainError):
    """The subscriber has a customer already, or its e-mail domain is associated with none or with several."""

    code = "no_suggested_customer"
    type = ErrorType.CONFLICT
    sentence = "There is no single customer to suggest for the domain {domain}"


class SubscriberDeletionNeedsConfirmation(DomainError):
    """Keys are bound to the subscriber; ``details`` is the report."""

    code = "subscriber_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"
