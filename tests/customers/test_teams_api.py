"""Teams over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from customers.models import UNCLASSIFIED_ID, Team
from customers.operations.deletion import delete_customer
from tests.api_client import code_of, ids_of, refusal_of
from tests.factories import NOW, make_agent, make_customer, make_operator_key, make_team

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_team_is_created_read_changed_and_deleted(api: APIClient, clock: time_machine.Traveller) -> None:
    customer = make_customer()
    body = {"customer": customer.id, "name": "Research", "external_id": "CC-7", "budget_amount": 250.5}

    created = api.post("/v1/teams", body)
    team = created.json()

    assert (created.status_code, created["Location"]) == (201, f"/v1/teams/{team['id']}")
    assert team == {
        **body, "id": team["id"], "budget_period": "month", "budget_used": 0,
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.json(), read["ETag"]) == (team, created["ETag"])
    assert api.get("/v1/teams").json()["data"] == [team]

    clock.shift(HOUR)
    changed = api.patch(created["Location"], {"budget_amount": None, "budget_period": "quarter", "external_id": None})
    assert changed.json() == {
        **team, "budget_amount": None, "budget_period": "quarter", "external_id": None,
        "updated_at": "2026-03-10T13:00:00Z",
    }  # fmt: skip

    deleted = api.delete(created["Location"])
    assert (deleted.status_code, deleted.json()) == (
        200, {"id": team["id"], "deleted": True, "deleted_at": "2026-03-10T13:00:00Z"}
    )  # fmt: skip
    assert code_of(api.get(created["Location"])) == (404, "team_not_found")
    assert ids_of(api.get("/v1/teams")) == []


def test_a_name_and_a_customer_are_all_a_team_needs(api: APIClient) -> None:
    created = api.post("/v1/teams", {"customer": make_customer().id, "name": "Research"}).json()

    assert (created["external_id"], created["budget_amount"], created["budget_period"]) == (None, None, "month")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"name": ""}, "invalid_name", "name"),
        ({"name": "x" * 201}, "invalid_name", "name"),
        ({"budget_amount": -0.01}, "invalid_budget_amount", "budget_amount"),
        ({"budget_amount": "much"}, "invalid_budget_amount", "budget_amount"),
        ({"budget_period": "week"}, "invalid_budget_period", "budget_period"),
        ({"budget_used": 5}, "unknown_field", "budget_used"),
        ({"external_id": 7}, "invalid_external_id", "external_id"),
    ],
)
def test_a_team_that_is_not_well_formed_is_refused(
    api: APIClient, change: dict[str, Any], code: str, param: str
) -> None:
    team = make_team(name="Research")
    body = {"customer": team.customer_id, "name": "Sales"}

    assert refusal_of(api.post("/v1/teams", {**body, **change})) == (400, code, param)
    assert refusal_of(api.patch(f"/v1/teams/{team.id}", change)) == (400, code, param)

    assert Team.objects.get().updated_at == NOW
    assert api.post("/v1/teams", body).status_code == 201


def test_a_team_needs_a_customer_that_is_known_and_keeps_it(api: APIClient) -> None:
    team = make_team()
    gone = delete_customer(make_customer().id, confirm=True, now=NOW)

    assert refusal_of(api.post("/v1/teams", {"name": "Research"})) == (400, "required", "customer")
    assert refusal_of(api.post("/v1/teams", {"name": "R", "customer": "acme"})) == (400, "invalid_customer", "customer")
    unknown = api.post("/v1/teams", {"name": "R", "customer": gone.id})
    assert refusal_of(unknown) == (404, "customer_not_found", "customer")
    unclassified = api.post("/v1/teams", {"name": "R", "customer": UNCLASSIFIED_ID})
    assert refusal_of(unclassified) == (409, "system_customer", "customer")
    patched = api.patch(f"/v1/teams/{team.id}", {"customer": make_customer().id})
    assert refusal_of(patched) == (400, "unknown_field", "customer")
    assert Team.objects.count() == 1


def test_a_name_or_external_id_that_is_taken_is_a_conflict(api: APIClient) -> None:
    team = make_team(name="Research", external_id="CC-7")
    body = {"customer": team.customer_id}

    assert refusal_of(api.post("/v1/teams", {**body, "name": "Research"})) == (409, "duplicate_name", "name")
    taken = api.post("/v1/teams", {**body, "name": "Sales", "external_id": "CC-7"})
    assert refusal_of(taken) == (409, "duplicate_external_id", "external_id")
    assert api.post("/v1/teams", {"customer": make_customer().id, "name": "Research"}).status_code == 201


def test_a_team_with_agents_is_not_deleted_and_the_refusal_is_the_report(api: APIClient) -> None:
    team = make_agent().team

    refused = api.delete(f"/v1/teams/{team.id}")

    assert code_of(refused) == (409, "team_deletion_blocked")
    details = refused.json()["error"]["details"]
    assert (details["team_id"], details["verdict"], details["findings"][0]["code"]) == (team.id, "BLOCK", "agents")
    assert api.get(f"/v1/teams/{team.id}").status_code == 200


def test_teams_are_listed_newest_first_and_found(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    old = make_team(external_id="CC-7", now=NOW - HOUR)
    new, other = make_team(customer=old.customer), make_team(now=NOW - 2 * HOUR)
    delete_customer(make_team().customer_id, confirm=True, now=NOW)

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/teams{query}"))

    with django_assert_max_num_queries(8):
        assert listed() == [new.id, old.id, other.id]
    assert (listed("?limit=1"), listed("?limit=2&offset=1")) == ([new.id], [old.id, other.id])
    assert listed(f"?customer={old.customer_id}") == [new.id, old.id]
    assert (listed("?external_id=CC-7"), listed("?external_id=CC")) == ([old.id], [])
    assert refusal_of(api.get("/v1/teams?customer=acme")) == (400, "invalid_customer", "customer")
    assert refusal_of(api.get("/v1/teams?name=x")) == (400, "unknown_field", "name")


def test_another_version_is_not_overwritten(api: APIClient) -> None:
    path = f"/v1/teams/{make_team().id}"
    etag = api.get(path)["ETag"]

    assert code_of(api.patch(path, {"name": "A"}, headers={"If-Match": '"old"'})) == (409, "version_mismatch")
    assert api.patch(path, {"name": "A"}, headers={"If-Match": etag}).status_code == 200


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, nobody = api_of("customers:read"), api_of("customers:write"), APIClient()
    team = make_team()
    path, body = f"/v1/teams/{team.id}", {"customer": team.customer_id, "name": "New"}

    assert {reader.get("/v1/teams").status_code, reader.get(path).status_code} == {200}
    assert code_of(writer.get(path)) == (403, "insufficient_scope")
    for client, refusal in ((reader, (403, "insufficient_scope")), (nobody, (401, "authentication_required"))):
        answers = [client.post("/v1/teams", body), client.patch(path, {"name": "New"}), client.delete(path)]
        assert {code_of(answer) for answer in answers} == {refusal}
    assert [writer.post("/v1/teams", body).status_code, writer.delete(path).status_code] == [201, 200]


def test_history_names_the_key_that_acted() -> None:
    key, secret = make_operator_key("customers:write")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    created = client.post("/v1/teams", {"customer": make_customer().id, "name": "Research"})
    client.patch(created["Location"], {"name": "Sales"})
    client.delete(created["Location"])

    assert [row.history_actor for row in Team.objects.get().history.all()] == [f"operator key {key.name}"] * 3
