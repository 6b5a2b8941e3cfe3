"""Which customers the API shows to whom: filters, pages, ids of nobody, scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from customers.models import UNCLASSIFIED_ID
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_customer
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_customers_are_listed_newest_first_as_they_are_read(api: APIClient) -> None:
    older, newer = make_customer(now=NOW - HOUR), make_customer()

    answer = api.get("/v1/customers")

    assert ids_of(answer) == [newer.id, older.id]
    assert answer.json()["data"][0].items() <= api.get(f"/v1/customers/{newer.id}").json().items()
    assert answer.json()["pagination"] == {
        "total": 2, "limit": 20, "offset": 0, "has_more": False, "next_cursor": None
    }  # fmt: skip


def test_a_list_of_customers_has_neither_the_deleted_nor_the_unclassified_nor_a_secret(api: APIClient) -> None:
    created = api.post("/v1/customers", {"name": "A", "email": "a@example.com"}).json()
    delete_customer(make_customer().id, confirm=True, now=NOW)

    answer = api.get("/v1/customers")

    assert ids_of(answer) == [created["id"]]
    assert created["api_key"] not in answer.content.decode()
    assert "api_key" not in answer.json()["data"][0]


def test_pages_tile_the_list(api: APIClient) -> None:
    expected = [make_customer(now=NOW + HOUR * number).id for number in range(5)][::-1]

    pages = [api.get(f"/v1/customers?limit=2&offset={offset}") for offset in (0, 2, 4)]
    by_cursor = api.get("/v1/customers", {"limit": 2, "cursor": pages[0].json()["pagination"]["next_cursor"]})

    assert [ids_of(page) for page in pages] == [expected[:2], expected[2:4], expected[4:]]
    assert [page.json()["pagination"]["has_more"] for page in pages] == [True, True, False]
    assert {page.json()["pagination"]["total"] for page in pages} == {5}
    assert ids_of(by_cursor) == expected[2:4]


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("limit=0", (400, "invalid_limit", "limit")),
        ("limit=101", (400, "invalid_limit", "limit")),
        ("offset=-1", (400, "invalid_offset", "offset")),
        ("cursor=nonsense", (400, "invalid_cursor", "cursor")),
        ("status=gone", (400, "invalid_status", "status")),
        ("tier=ultra", (400, "invalid_tier", "tier")),
        ("created_after=2026-03-10", (400, "invalid_created_after", "created_after")),
        ("created_before=2026-03-10T12:00:00", (400, "invalid_created_before", "created_before")),
        ("name=Acme", (400, "unknown_field", "name")),
        ("metadata=SaaS", (400, "unknown_field", "metadata")),
        ("tier=free&tier=startup", (400, "duplicate_key", "tier")),
        ("parent=", (400, "invalid_parent", "parent")),
        ("status=", (400, "invalid_status", "status")),
        ("created_after=", (400, "invalid_created_after", "created_after")),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(api: APIClient, query: str, refusal: tuple[int, str, str]) -> None:
    assert refusal_of(api.get(f"/v1/customers?{query}")) == refusal
    assert api.get("/v1/customers?limit=100&offset=0").status_code == 200


def test_a_single_customer_takes_no_parameters(api: APIClient) -> None:
    path = f"/v1/customers/{make_customer().id}"

    assert refusal_of(api.get(f"{path}?expand=usage")) == (400, "unknown_field", "expand")
    assert refusal_of(api.delete(f"{path}?force=true")) == (400, "unknown_field", "force")


def test_an_unknown_tier_of_the_filter_is_told_as_in_a_body(api: APIClient) -> None:
    error = error_of(api.get("/v1/customers?tier=ultra"))

    assert error["message"] == "Invalid tier 'ultra'. Valid tiers are: free, developer, startup, enterprise"


def test_customers_are_listed_by_status_as_the_clock_has_it(api: APIClient, clock: time_machine.Traveller) -> None:
    on, off, paused = make_customer(), make_customer(), make_customer()
    suspend_customer(off.id, now=NOW)
    suspend_customer(paused.id, until=NOW + HOUR, now=NOW)

    def listed(status: str) -> set[str]:
        return set(ids_of(api.get(f"/v1/customers?status={status}")))

    assert (listed("active"), listed("suspended")) == ({on.id}, {off.id, paused.id})
    clock.shift(HOUR)
    assert (listed("active"), listed("suspended")) == ({on.id, paused.id}, {off.id})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"tier": "startup"}, "a"),
        ({"external_id": "INV-7"}, "b"),
        ({"external_id": "INV"}, ""),
        ({"search": "tech"}, "a"),
        ({"search": "TECH cebu"}, "a"),
        ({"search": "tech acme"}, ""),
        ({"search": "admin@acme.com"}, "b"),
        ({"search": "inv"}, "b"),
        ({"created_after": "2026-03-10T12:00:00Z"}, "b"),
        ({"created_after": "2026-03-10T12:00:00.000001Z"}, ""),
        ({"created_before": "2026-03-10T20:00:00+08:00"}, "a"),
        ({"created_before": "2026-03-10T12:00:00.000001Z"}, "ba"),
        ({"metadata[industry]": "SaaS"}, "a"),
        ({"metadata[industry]": "saas"}, ""),
        ({"metadata[employees]": "25"}, "a"),
        ({"metadata[vip]": "true"}, "b"),
        ({"metadata[industry]": "SaaS", "metadata[employees]": "26"}, ""),
        ({"metadata[nothing]": "x"}, ""),
        ({"tier": "startup", "search": "acme"}, ""),
    ],
)
def test_customers_are_found_by_what_is_asked_for(api: APIClient, query: dict[str, str], found: str) -> None:
    metadata = {"industry": "SaaS", "employees": 25}
    a = make_customer(
        name="Tech Cebu", email="founder@techstartup.ph", tier="startup", metadata=metadata, now=NOW - HOUR
    )
    b = make_customer(name="Acme", email="admin@acme.com", external_id="INV-7", metadata={"vip": True})

    assert ids_of(api.get("/v1/customers", query)) == [{"a": a.id, "b": b.id}[letter] for letter in found]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("te", "a"),
        ("ech", ""),
        ("ceb te", "a"),
        ("tech nobody", ""),
        ("founder@techstartup.ph", "a"),
        ("FOUNDER@TechStartup.PH", "a"),
        ("techstartup.ph", "a"),
        ("founder@tech", "a"),
        ("found@techstartup", ""),
        ("acme.com", "b"),
        ("acme.c", "b"),
        ("inv-7", "b"),
        ("INV", "b"),
        ("7", "b"),
        ("münch", "b"),
        ("", "ba"),
        ("   ", "ba"),
        ("%", ""),
        ("?!.,-_@", ""),
        ("😀", ""),
        ("😀😀 —", ""),
        ("'", ""),
        ("acme'", "b"),
        ('"acme"', "b"),
        ("'acme' 'com'", "b"),
        ("acme\\", "b"),
        ("\\acme\\'", "b"),
        ("acme:*", "b"),
        ("ac:*", ""),
        ("ac:*A", ""),
        ("acme & com", "b"),
        ("acme | tech", ""),
        ("!acme", "b"),
        ("(acme", "b"),
        ("acme <-> com", "b"),
        ("acme'); DROP TABLE customers_customer; --", ""),
        ("x" * 255, ""),
        ("x" * 3000, ""),
        ("é" * 2000, ""),
        ("acme " * 500, "b"),
    ],
)
def test_words_are_found_by_their_beginnings_whatever_signs_surround_them(
    api: APIClient, words: str, found: str
) -> None:
    a = make_customer(name="Tech Cebu", email="founder@techstartup.ph", now=NOW - HOUR)
    b = make_customer(name="Acme München", email="admin@acme.com", external_id="INV-7")

    answer = api.get("/v1/customers", {"search": words})

    assert ids_of(answer) == [{"a": a.id, "b": b.id}[letter] for letter in found]


def test_words_as_long_as_a_name_can_be_are_found(api: APIClient) -> None:
    long = make_customer(name="é" * 200, external_id="x" * 255)

    for words in ("é" * 200, "x" * 255, "é" * 199):
        assert ids_of(api.get("/v1/customers", {"search": words})) == [long.id]
    assert refusal_of(api.get("/v1/customers", {"search": "a\0b"})) == (400, "invalid_search", "search")


def test_a_list_of_customers_takes_as_many_queries_however_long(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(5):
        make_customer()

    # The operator key, the total, the page and when its customers were active last.
    with django_assert_max_num_queries(4):
        assert len(ids_of(api.get("/v1/customers"))) == 5


@pytest.mark.parametrize("pk", ["cust_unknown", "cust_01h455vb4pex5vsknk084sn02q", str(UNCLASSIFIED_ID), "deleted"])
def test_an_unknown_a_deleted_and_the_unclassified_customer_are_not_found(api: APIClient, pk: str) -> None:
    if pk == "deleted":
        pk = delete_customer(make_customer().id, confirm=True, now=NOW).id
    path = f"/v1/customers/{pk}"
    answers = [
        api.get(path),
        api.patch(path, {"name": "New"}),
        api.delete(path),
        api.get(f"{path}/deletion-check"),
        api.post(f"{path}/suspend"),
        api.post(f"{path}/reactivate"),
        api.get(f"{path}/api-keys"),
        api.post(f"{path}/api-keys", {"name": "Key", "scopes": ["*"]}),
    ]

    assert {code_of(answer) for answer in answers} == {(404, "customer_not_found")}
    error = error_of(answers[0])
    assert (error["type"], error["message"]) == ("not_found_error", f"Customer {pk} not found")


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, stranger = api_of("customers:read"), api_of("customers:write"), api_of("catalog:write")
    path = f"/v1/customers/{make_customer().id}"
    reads = ["/v1/customers", path, f"{path}/deletion-check"]
    writes = ["/v1/customers", f"{path}/suspend", f"{path}/reactivate"]

    assert {reader.get(read).status_code for read in reads} == {200}
    for client in (writer, stranger):
        answers = [client.get(read) for read in reads]
        assert {code_of(answer) for answer in answers} == {(403, "insufficient_scope")}
        assert {error_of(answer)["details"]["required"] for answer in answers} == {"customers:read"}
    for client in (reader, stranger):
        refused = [*(client.post(write) for write in writes), client.patch(path, {}), client.delete(path)]
        assert {code_of(answer) for answer in refused} == {(403, "insufficient_scope")}
    assert writer.patch(path, {"name": "Renamed"}).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer mk_live_00000000000000000000000000000000", "Basic YTpi", "Bearer"])
def test_nobody_gets_in_without_a_key_of_ours(header: str) -> None:
    path = f"/v1/customers/{make_customer().id}"
    client = APIClient(headers={"Authorization": header} if header else {})
    expected = "invalid_api_key" if header else "authentication_required"

    answers = [client.get("/v1/customers"), client.post("/v1/customers", {}), client.get(path), client.delete(path)]

    assert {code_of(answer) for answer in answers} == {(401, expected)}
    assert all(answer["WWW-Authenticate"].startswith("Bearer") for answer in answers)
