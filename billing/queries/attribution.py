"""Attribution: whose event is it? Credential, else subscription, else customer; else nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from billing.attribution import UNCLASSIFIED, Attribution
from billing.ingestion import NewEvent, ReferenceKind
from catalog.models import Charge, Metric
from config.kernel.ids import TypeID
from credentials.models import Credential
from customers.models import Customer, Subscription


@dataclass
class Attributor:
    """Everything a batch of events refers to, read once; ``of`` then answers from memory."""

    credentials: dict[str, Credential] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, list[Subscription]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[str, Subscription] = field(default_factory=dict)
    metrics: dict[str, list[Metric]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def for_events(cls, events: Iterable[NewEvent]) -> Attributor:
        """Read what ``events`` refer to: three queries, however many events."""
        named: dict[ReferenceKind, set[str]] = {kind: set() for kind in ReferenceKind}
        for event in events:
            named[event.kind].add(event.reference)
        snapshot = cls()
        snapshot._read_credentials(named[ReferenceKind.CREDENTIAL])
        customers = named[ReferenceKind.CUSTOMER] | {str(one.customer_id) for one in snapshot.credentials.values()}
        snapshot._read_subscriptions(named[ReferenceKind.SUBSCRIPTION], customers)
        snapshot._read_customers(customers)
        snapshot._read_metrics()
        return snapshot

    def of(self, event: NewEvent) -> Attribution:
        """Return whose ``event`` is; one that refers to nobody alive is UNCLASSIFIED."""
        if event.kind is ReferenceKind.CREDENTIAL:
            credential = self.credentials.get(event.reference)
            if credential is None or credential.customer.deleted_at is not None:
                return UNCLASSIFIED
            return self._of_credential(credential, event)
        if event.kind is ReferenceKind.SUBSCRIPTION:
            subscription = self.by_id.get(event.reference)
            if subscription is None:
                return UNCLASSIFIED
            return self._within(subscription.customer_id, subscription.customer.timezone, [subscription], event)
        timezone = self.customers.get(event.reference)
        if timezone is None:
            return UNCLASSIFIED
        return self._within(TypeID(event.reference), timezone, self.subscriptions[event.reference], event)

    def _of_credential(self, credential: Credential, event: NewEvent) -> Attribution:
        """Follow a credential to its own subscription, or to the only one of its customer that fits."""
        bound = [self.by_id[credential.subscription_id]] if credential.subscription_id else None
        candidates = self.subscriptions[credential.customer_id] if bound is None else bound
        return self._within(credential.customer_id, credential.customer.timezone, candidates, event, credential.id)

    def _within(
        self,
        customer: TypeID,
        timezone: str,
        candidates: Sequence[Subscription],
        event: NewEvent,
        credential: TypeID | None = None,
    ) -> Attribution:
        """Choose the subscription that ran when the event happened; with several to choose from, none."""
        running = [one for one in candidates if _runs(one, event.timestamp)]
        chosen = running[0] if len(running) == 1 else None
        metrics = [m for m in self.metrics[chosen.plan_id] if m.event_type == event.type] if chosen else []
        return Attribution(
            customer=customer,
            subscription=chosen.id if chosen else None,
            credential=credential,
            zone=ZoneInfo(timezone),
            metrics=metrics,
        )

    def _read_credentials(self, references: set[str]) -> None:
        ids = {reference for reference in references if reference.startswith("key_")}
        found = Credential.objects.filter(Q(pk__in=ids) | Q(client_id__in=references - ids)).select_related("customer")
        for credential in found:
            self.credentials[credential.id] = credential
            if credential.client_id:
                self.credentials[credential.client_id] = credential

    def _read_subscriptions(self, ids: set[str], customers: set[str]) -> None:
        found = Subscription.objects.filter(Q(pk__in=ids) | Q(customer__in=customers))
        for subscription in found.filter(customer__deleted_at__isnull=True).select_related("customer"):
            self.by_id[subscription.id] = subscription
            self.subscriptions[subscription.customer_id].append(subscription)
            self.customers[subscription.customer_id] = subscription.customer.timezone

    def _read_customers(self, ids: set[str]) -> None:
        missing = ids - self.customers.keys()
        if missing:
            live = Customer.objects.live().filter(pk__in=missing)
            self.customers.update(live.values_list("pk", "timezone"))

    def _read_metrics(self) -> None:
        plans = {subscription.plan_id for subscription in self.by_id.values()}
        for charge in Charge.objects.filter(plan__in=plans).select_related("metric").order_by("position"):
            if charge.metric not in self.metrics[charge.plan_id]:
                self.metrics[charge.plan_id].append(charge.metric)


def _runs(subscription: Subscription, moment: datetime) -> bool:
    """Tell whether ``subscription`` ran at ``moment``, whatever became of it since."""
    if subscription.canceled_at is not None or subscription.starts_at > moment:
        return False
    return subscription.end is None or moment < subscription.end
