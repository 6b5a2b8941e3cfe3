"""Subscribers by what events call them: our id, the e-mail address, or the customer's own subscriber ID."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Lower

from config.kernel.ids import TypeID
from customers.models import Subscriber


@dataclass
class NamedSubscribers:
    """The live subscribers that a batch of events may mean, read once; look-ups then answer from memory."""

    by_id: dict[str, Subscriber] = field(default_factory=dict)
    by_email: dict[str, list[Subscriber]] = field(default_factory=lambda: defaultdict(list))
    by_subscriber_id: dict[str, list[Subscriber]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, names: Iterable[str]) -> NamedSubscribers:
        """Read whom ``names`` may mean: one query, none without names."""
        found = cls()
        wanted = set(names)
        if not wanted:
            return found
        ids = {name for name in wanted if name.startswith("subr_")}
        emails = {name.lower() for name in wanted if "@" in name}
        meant = Q(pk__in=ids) | Q(lower_email__in=emails) | Q(subscriber_id__in=wanted)
        live = Subscriber.objects.live().alias(lower_email=Lower("email")).order_by()
        for subscriber in live.filter(meant).only("customer", "email", "subscriber_id"):
            found.by_id[subscriber.pk] = subscriber
            found.by_email[subscriber.email.lower()].append(subscriber)
            found.by_subscriber_id[subscriber.subscriber_id].append(subscriber)
        return found

    def only(self, name: str) -> Subscriber | None:
        """Return the only subscriber of all customers that ``name`` can mean."""
        meant = {one.pk: one for one in self._meant(name)}
        return next(iter(meant.values())) if len(meant) == 1 else None

    def of_customer(self, customer: str, name: str) -> TypeID | None:
        """Return the customer's subscriber that is meant: by id, else by e-mail, else by subscriber ID."""
        return next((one.pk for one in self._meant(name) if one.customer_id == customer), None)

    def _meant(self, name: str) -> Iterator[Subscriber]:
        """Yield whom ``name`` can mean, the surest first."""
        if name in self.by_id:
            yield self.by_id[name]
        yield from self.by_email.get(name.lower(), ())
        yield from self.by_subscriber_id.get(name, ())
