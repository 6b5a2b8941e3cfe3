"""Attribution: whose event is it? Credential, else subscription, else customer, else subscriber; else nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from billing.attribution import Attribution, unclassified
from billing.ingestion import NewEvent, ReferenceKind
from billing.queries.subscribers import NamedSubscribers
from catalog.models import Charge, ChargeModel, Metric, RatePlan
from config.kernel.ids import MalformedTypeID, TypeID
from credentials.models import Credential
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.queries.successors import with_their_lines

#: When subscriptions of customers that are not deleted end.
ENDS = """
    SELECT subscription.id, COALESCE(subscription.terminated_at, subscription.ends_at), subscription.canceled_at
    FROM customers_subscription subscription JOIN customers_customer customer ON customer.id = subscription.customer_id
    WHERE subscription.id = ANY(%s::uuid[]) AND customer.deleted_at IS NULL
"""


@dataclass
class Attributor:
    """Everything a batch of events refers to, read once; ``of`` then answers from memory."""

    credentials: dict[str, Credential] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, list[Subscription]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[str, Subscription] = field(default_factory=dict)
    #: The subscriptions that follow each other by changes of plan, by the id of the first of them.
    lines: dict[str, list[Subscription]] = field(default_factory=lambda: defaultdict(list))
    metrics: dict[str, list[Metric]] = field(default_factory=lambda: defaultdict(list))
    #: The properties that DYNAMIC charges take as what an event costs, by plan and type of event.
    amounts: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    #: The plans of each product that an event names, by its id and its code.
    plans: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    subscribers: NamedSubscribers = field(default_factory=NamedSubscribers)

    @classmethod
    def for_events(cls, events: Sequence[NewEvent]) -> Attributor:
        """Read what ``events`` refer to: a few queries, however many events."""
        named: dict[ReferenceKind, set[str]] = {kind: set() for kind in ReferenceKind}
        for event in events:
            named[event.kind].add(event.reference)
        snapshot = cls(subscribers=NamedSubscribers.read(one.subscriber for one in events if one.subscriber))
        snapshot._read_credentials(named[ReferenceKind.CREDENTIAL])
        customers = named[ReferenceKind.CUSTOMER] | {str(one.customer_id) for one in snapshot.credentials.values()}
        alone = (snapshot.subscribers.only(name) for name in named[ReferenceKind.SUBSCRIBER])
        customers |= {str(one.customer_id) for one in alone if one is not None}
        snapshot._read_subscriptions(named[ReferenceKind.SUBSCRIPTION], customers)
        snapshot._read_customers(customers)
        snapshot._read_products({event.product for event in events if event.product})
        snapshot._read_charges()
        return snapshot

    def of(self, event: NewEvent) -> Attribution:
        """Return whose ``event`` is; one that refers to nobody alive is UNCLASSIFIED."""
        match event.kind:
            case ReferenceKind.CREDENTIAL:
                return self._of_credential(event)
            case ReferenceKind.SUBSCRIPTION:
                return self._of_subscription(event)
            case ReferenceKind.CUSTOMER:
                return self._of_customer(event.reference, event)
        subscriber = self.subscribers.only(event.reference)
        return unclassified(event.named) if subscriber is None else self._of_customer(subscriber.customer_id, event)

    def carried_to(self, event: NewEvent, attribution: Attribution) -> list[TypeID]:
        """Return the subscriptions that followed by changes of plan and whose recurring metrics carry ``event`` on."""
        own = self.by_id.get(attribution.subscription or "")
        if own is None or len(line := self._line_of(own)) == 1:
            return []
        later = [one for one in line if one.starts_at > own.starts_at and one.canceled_at is None]
        return [one.id for one in later if self._carries(one, event.type)]

    def _carries(self, subscription: Subscription, event_type: str) -> bool:
        """Tell whether a recurring metric of the subscription's plan counts events of a type."""
        metrics = self.metrics[subscription.plan_id]
        return any(metric.recurring and metric.event_type == event_type for metric in metrics)

    def holds_for(self, subscriptions: Collection[UUID]) -> bool:
        """Tell whether ``subscriptions``, chosen for events, end when they did and are still of customers alive."""
        with connection.cursor() as cursor:
            cursor.execute(ENDS, [list(subscriptions)])
            ends = {pk: (end, canceled_at) for pk, end, canceled_at in cursor.fetchall()}
        read = (self.by_id[TypeID.from_uuid(pk, "sub")] for pk in subscriptions)
        return all(ends.get(one.id.uuid) == (one.end, one.canceled_at) for one in read)

    def _of_credential(self, event: NewEvent) -> Attribution:
        """Follow a credential to its own subscription, or to the only one of its customer that fits."""
        credential = self.credentials.get(event.reference)
        if credential is None or credential.customer.deleted_at is not None:
            return self._of_nobody(event)
        own = credential.subscription_id
        candidates = self._line_of(self.by_id[own]) if own else self._fitting(credential.customer_id, event)
        return self._within(credential.customer_id, candidates, event, credential)

    def _of_subscription(self, event: NewEvent) -> Attribution:
        subscription = self.by_id.get(event.reference)
        if subscription is None:
            return self._of_nobody(event)
        return self._within(subscription.customer_id, self._line_of(subscription), event)

    def _of_customer(self, customer: str, event: NewEvent) -> Attribution:
        if customer not in self.customers or customer == UNCLASSIFIED_ID:
            return self._of_nobody(event)
        return self._within(TypeID(customer), self._fitting(customer, event), event)

    def _of_nobody(self, event: NewEvent) -> Attribution:
        """Keep what the event names; its subscriber may be known although the customer is not."""
        return unclassified(event.named, self._subscriber(UNCLASSIFIED_ID, event))

    def _within(
        self,
        customer: TypeID,
        candidates: Sequence[Subscription],
        event: NewEvent,
        credential: Credential | None = None,
    ) -> Attribution:
        """Choose the subscription that ran when the event happened; with several to choose from, none."""
        running = [one for one in candidates if _runs(one, event.timestamp)]
        chosen = running[0] if len(running) == 1 else None
        metrics = [m for m in self.metrics[chosen.plan_id] if m.event_type == event.type] if chosen else []
        return Attribution(
            customer=customer,
            subscription=chosen.id if chosen else None,
            credential=credential.id if credential else None,
            subscriber=self._subscriber(customer, event, credential),
            zone=ZoneInfo(self.customers[customer]),
            metrics=metrics,
            amounts=self.amounts.get((chosen.plan_id, event.type), ()) if chosen else (),
        )

    def _fitting(self, customer: str, event: NewEvent) -> list[Subscription]:
        """Return the customer's subscriptions that an event may mean which names none: those to its product."""
        own = self.subscriptions[customer]
        return own if event.product is None else [one for one in own if one.plan_id in self.plans[event.product]]

    def _subscriber(self, customer: str, event: NewEvent, credential: Credential | None = None) -> TypeID | None:
        """Return the customer's subscriber that the event names, else the one that the credential is bound to."""
        if event.subscriber is not None:
            return self.subscribers.of_customer(customer, event.subscriber)
        return credential.subscriber_id if credential else None

    def _read_credentials(self, references: set[str]) -> None:
        ids = {reference for reference in references if reference.startswith("key_")}
        found = Credential.objects.filter(Q(pk__in=ids) | Q(client_id__in=references - ids)).select_related("customer")
        for credential in found:
            self.credentials[credential.id] = credential
            if credential.client_id:
                self.credentials[credential.client_id] = credential

    def _read_subscriptions(self, ids: set[str], customers: set[str]) -> None:
        found = Subscription.objects.filter(Q(pk__in=with_their_lines(ids)) | Q(customer__in=customers))
        for subscription in found.filter(customer__deleted_at__isnull=True).select_related("customer"):
            self.by_id[subscription.id] = subscription
            self.subscriptions[subscription.customer_id].append(subscription)
            self.customers[subscription.customer_id] = subscription.customer.timezone
        for subscription in self.by_id.values():
            self.lines[self._first_of(subscription)].append(subscription)

    def _line_of(self, subscription: Subscription) -> list[Subscription]:
        """Return what came before and after ``subscription`` by changes of plan, itself included."""
        return self.lines[self._first_of(subscription)]

    def _first_of(self, subscription: Subscription) -> str:
        """Return the id of the first subscription of a line."""
        while subscription.previous_id:
            subscription = self.by_id[subscription.previous_id]
        return subscription.id

    def _read_customers(self, ids: set[str]) -> None:
        missing = ids - self.customers.keys()
        if missing:
            live = Customer.objects.live().filter(pk__in=missing)
            self.customers.update(live.values_list("pk", "timezone"))

    def _read_products(self, names: set[str]) -> None:
        if not names:
            return
        ids = {name for name in names if _is_id(name)}
        plans = RatePlan.objects.filter(Q(product__in=ids) | Q(product__code__in=names))
        for plan, product, code in plans.values_list("pk", "product", "product__code"):
            self.plans[product].add(plan)
            self.plans[code].add(plan)

    def _read_charges(self) -> None:
        plans = {subscription.plan_id for subscription in self.by_id.values()}
        for charge in Charge.objects.filter(plan__in=plans).select_related("metric").order_by("position"):
            if charge.metric not in self.metrics[charge.plan_id]:
                self.metrics[charge.plan_id].append(charge.metric)
            if charge.model == ChargeModel.DYNAMIC:
                self.amounts[charge.plan_id, charge.metric.event_type].append(charge.properties["property"])


def _is_id(name: str) -> bool:
    """Tell whether a product is named by its id; a code can look much like one."""
    try:
        TypeID.parse(name, "prod")
    except MalformedTypeID:
        return False
    return True


def _runs(subscription: Subscription, moment: datetime) -> bool:
    """Tell whether ``subscription`` ran at ``moment``, whatever became of it since."""
    if subscription.canceled_at is not None or subscription.starts_at > moment:
        return False
    return subscription.end is None or moment < subscription.end
