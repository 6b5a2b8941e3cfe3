"""The trees of customers: who stands above and below whom, each question one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from config.kernel.ids import TypeID
from customers.models import Customer
from customers.models.customer import CustomerQuerySet

#: The live customers below some roots, the roots themselves at the depth 0; the trigger on customers bounds the depth.
BELOW = """
    WITH RECURSIVE below (root, id, depth, path) AS (
        SELECT id, id, 0, ARRAY[lower(name), id::text] FROM customers_customer WHERE id = ANY(%s)
        UNION ALL
        SELECT below.root, one.id, below.depth + 1, below.path || ARRAY[lower(one.name), one.id::text]
        FROM below JOIN customers_customer one ON one.parent_id = below.id
        WHERE one.deleted_at IS NULL
    )
"""

#: The customers above one, its parent at the depth 1.
ABOVE = """
    WITH RECURSIVE above (id, depth) AS (
        SELECT parent_id, 1 FROM customers_customer WHERE id = %s AND parent_id IS NOT NULL
        UNION ALL
        SELECT one.parent_id, above.depth + 1
        FROM above JOIN customers_customer one ON one.id = above.id
        WHERE one.parent_id IS NOT NULL
    )
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a customer stands below the customer that was asked about; ``depth`` 0 is itself, 1 a direct child."""

    customer: Customer
    depth: int


def below(customers: CustomerQuerySet, root_id: str) -> CustomerQuerySet:
    """Keep those that stand below the customer, directly or through others."""
    return within(customers, root_id).exclude(pk=root_id)


def within(customers: CustomerQuerySet, root_id: str) -> CustomerQuerySet:
    """Keep the customer itself and all that stand below it."""
    root = TypeID.parse(root_id, "cust").uuid
    chosen = "SELECT id FROM below"
    return customers.filter(pk__in=RawSQL(f"{BELOW} {chosen}", [[root]]))  # noqa: S611 - only our own text.


def members(root_ids: Collection[str]) -> dict[TypeID, list[TypeID]]:
    """Return, for each of the customers, its own id and those of all live customers below it, nearest first."""
    roots = [TypeID.parse(one, "cust") for one in root_ids]
    found: dict[TypeID, list[TypeID]] = {root: [] for root in roots}
    chosen = "SELECT root, id FROM below ORDER BY depth, path"
    with connection.cursor() as cursor:
        cursor.execute(f"{BELOW} {chosen}", [[root.uuid for root in roots]])
        for root, one in cursor.fetchall():
            found[TypeID.from_uuid(root, "cust")].append(TypeID.from_uuid(one, "cust"))
    return found


def ancestors(customer: Customer) -> list[Customer]:
    """Return the customers above this one, the root of the tree first."""
    chosen = "SELECT one.* FROM above JOIN customers_customer one ON one.id = above.id ORDER BY above.depth DESC"
    return list(Customer.objects.raw(f"{ABOVE} {chosen}", [customer.pk.uuid]))


def tree_below(customer: Customer, *, limit: int) -> list[Place]:
    """Return the customer and those below it, parents before children and siblings by name; at most ``limit``."""
    chosen = "SELECT one.*, below.depth FROM below JOIN customers_customer one ON one.id = below.id"
    rows: Any = Customer.objects.raw(f"{BELOW} {chosen} ORDER BY below.path LIMIT %s", [[customer.pk.uuid], limit])
    return [Place(customer=row, depth=row.depth) for row in rows]
