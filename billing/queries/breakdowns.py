"""What usage is broken down and filtered by: the label of each hourly row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Model

from billing.models import UsageHour
from billing.rating import HourOfUnits
from catalog.models import Metric, Product
from credentials.models import Credential
from customers.models import Agent, Customer, Subscriber, Subscription, Team

#: What usage goes by that named no model, and by which it can be asked for.
UNKNOWN_MODEL = "unknown"
#: What usage goes by that has no team, agent, subscriber and so on, so that parts always add up to their whole.
UNASSIGNED = "unassigned"


class Breakdown(StrEnum):
    """By what usage can be told apart; labels are ids, but for models, which have none."""

    MODEL = "model"
    TEAM = "team"
    AGENT = "agent"
    SUBSCRIBER = "subscriber"
    CREDENTIAL = "credential"
    PRODUCT = "product"
    SUBSCRIPTION = "subscription"
    METRIC = "metric"


class Whose(NamedTuple):
    """What a row of a roll-up tells of itself; only units have a metric."""

    model: str
    subscription: str | None
    credential: str | None
    subscriber: str | None
    metric: str | None = None

    @classmethod
    def hour(cls, row: UsageHour) -> Whose:
        """Return whose an hour of requests is."""
        return cls(row.model, row.subscription_id, row.credential_id, row.subscriber_id)

    @classmethod
    def units(cls, row: HourOfUnits) -> Whose:
        """Return whose an hour of units is."""
        return cls(row.model, row.subscription, row.credential, row.subscriber, row.metric)


#: Whose names stand for the ids that are labels.
MODELS: Mapping[Breakdown, type[Model]] = {
    Breakdown.TEAM: Team,
    Breakdown.AGENT: Agent,
    Breakdown.SUBSCRIBER: Subscriber,
    Breakdown.CREDENTIAL: Credential,
    Breakdown.PRODUCT: Product,
    Breakdown.SUBSCRIPTION: Subscription,
    Breakdown.METRIC: Metric,
}


def names_of(by: Breakdown, labels: Iterable[str]) -> dict[str, str]:
    """Return what people call the things that ``labels`` stand for; what has no name goes by its label."""
    found = {label: label for label in labels}
    if by in MODELS:
        known = MODELS[by]._default_manager.in_bulk([label for label in found if label != UNASSIGNED])
        found |= {str(pk): str(one) for pk, one in known.items()}
    return found


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of one customer's rows, as its credentials, agents and subscriptions stand now."""

    #: The agent and the team of each credential that is bound to an agent.
    agents: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: The product of each subscription.
    products: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, customer: Customer, needed: frozenset[Breakdown]) -> Labels:
        """Read what the labels in ``needed`` take: at most two queries."""
        agents: dict[str, tuple[str, str]] = {}
        products: dict[str, str] = {}
        if needed & {Breakdown.TEAM, Breakdown.AGENT}:
            bound = Credential.objects.filter(customer=customer, agent__isnull=False).order_by()
            agents = {key: (agent, team) for key, agent, team in bound.values_list("pk", "agent", "agent__team")}
        if Breakdown.PRODUCT in needed:
            own = Subscription.objects.filter(customer=customer).order_by()
            products = dict(own.values_list("pk", "plan__product"))
        return cls(agents=agents, products=products)

    def of(self, whose: Whose, by: Breakdown) -> str:
        """Return the label of a row."""
        if by is Breakdown.MODEL:
            return whose.model or UNKNOWN_MODEL
        return str(self._owner(whose, by) or UNASSIGNED)

    def _owner(self, whose: Whose, by: Breakdown) -> str | None:
        match by:
            case Breakdown.AGENT:
                return self.agents.get(whose.credential or "", (None, None))[0]
            case Breakdown.TEAM:
                return self.agents.get(whose.credential or "", (None, None))[1]
            case Breakdown.PRODUCT:
                return self.products.get(whose.subscription or "")
        owner: str | None = getattr(whose, by)
        return owner
