"""Lists of 100 000 customers read what they show and count, and no more: every query has an index to its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.kernel.counting import EXACT_TOTAL
from customers.models import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]

MANY = 100_000

#: A list that is counted up to 10 000 reads at most as many of its neighbours as its share of all customers asks for;
#: the loosest filter below keeps every third.
MOST_ROWS_READ = 3 * EXACT_TOTAL + 5_000

API_LISTS = [
    "",
    "?limit=100&offset=5000",
    "?search=falcon",
    "?search=77777",
    "?search=billing@falcon-77765.example",
    "?search=example",
    "?search=nobody",
    "?search=foods+falcon",
    "?status=active",
    "?status=inactive",
    "?status=suspended",
    "?tier=enterprise",
    "?tier=free",
    "?tier=enterprise&status=suspended",
    "?external_id=crm-5",
    "?metadata[account]=4711",
    "?metadata[region]=EMEA",
    "?created_after=2026-01-01T00:00:00Z",
]

ADMIN_LISTS = [
    "",
    "?q=falcon",
    "?q=77777",
    "?q=nobody",
    "?status=suspended",
    "?tier__exact=enterprise",
    "?o=1",
    "?o=-1",
]


def test_lists_of_many_customers_read_no_more_than_they_show(api: APIClient, desk: Client) -> None:
    call_command("seed_scale", customers=MANY)
    lists: list[tuple[Any, str]] = [(api, f"/v1/customers{query}") for query in API_LISTS]
    lists += [(desk, f"/admin/customers/customer/{query}") for query in ADMIN_LISTS]

    read = {path: rows_read(client, path) for client, path in lists}

    assert {path: rows for path, rows in read.items() if rows > MOST_ROWS_READ} == {}
    assert read["/v1/customers?search=77777"] < 1_000
    assert read["/v1/customers?search=nobody"] < 1_000


def test_a_cursor_reaches_the_end_of_a_long_list_without_reading_it(api: APIClient) -> None:
    call_command("seed_scale", customers=20_000)
    oldest = list(Customer.objects.real().order_by("created_at", "pk")[:150].values_list("pk", flat=True))
    page = api.get("/v1/customers?limit=100&offset=19800").json()

    after = f"/v1/customers?limit=100&cursor={page['pagination']['next_cursor']}"

    assert [one["id"] for one in api.get(after).json()["data"]] == oldest[99::-1]
    assert rows_read(api, after) <= EXACT_TOTAL + 200


def test_seeded_customers_are_found_as_any_other_and_have_their_history(api: APIClient) -> None:
    call_command("seed_scale", customers=40)
    call_command("seed_scale", customers=2)

    found = api.get("/v1/customers?search=crm-42").json()["data"]

    assert [one["external_id"] for one in found] == ["crm-42"]
    assert Customer.objects.real().count() == Customer.history.exclude(name="UNCLASSIFIED").count() == 42


def rows_read(client: Any, path: str) -> int:
    """Return how many customers the greediest query behind ``path`` reads, thrown away ones included."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    selects = [one["sql"] for one in queries.captured_queries if '"customers_customer"' in one["sql"]]
    return max(sum(scanned(plan_of(sql))) for sql in selects if sql.startswith("SELECT"))


def plan_of(sql: str) -> dict[str, Any]:
    """Run a query and return how that went."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
        (answer,) = cursor.fetchone()
    plan: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return plan


def scanned(plan: dict[str, Any]) -> Iterator[int]:
    """Yield the customers that each node of a plan reads from the table."""
    if plan.get("Relation Name") == "customers_customer":
        thrown_away = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield int((plan["Actual Rows"] + thrown_away) * plan["Actual Loops"])
    for child in plan.get("Plans", ()):
        yield from scanned(child)
