"""Which customer an unclassified subscriber probably belongs to, told by the domain of its e-mail address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from customers.models import UNCLASSIFIED_ID, Customer, Subscriber


def with_suggestions(subscribers: Iterable[Subscriber]) -> list[Any]:
    """
    Return the subscribers, each with the customer it probably belongs to as ``suggestion``, else None.

    Only an UNCLASSIFIED subscriber has one; all of them are looked up by one query.
    """
    found = list(subscribers)
    owners = only_customers_with({one.email_domain for one in found if one.customer_id == UNCLASSIFIED_ID})
    for one in found:
        suggestion = owners.get(one.email_domain) if one.customer_id == UNCLASSIFIED_ID else None
        one.suggestion = suggestion  # type: ignore[attr-defined]
    return found


def only_customers_with(domains: Collection[str]) -> Mapping[str, Customer]:
    """Return, by domain in lower case, the live customer it is associated with, where that is no more than one."""
    if not domains:
        return {}
    owners: dict[str, list[Customer]] = defaultdict(list)
    for customer in Customer.objects.live().real().filter(associated_domains__overlap=sorted(domains)):
        for domain in set(customer.associated_domains) & set(domains):
            owners[domain].append(customer)
    return {domain: customers[0] for domain, customers in owners.items() if len(customers) == 1}
