"""Subscriptions over the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import Invoice
from credentials.models import Credential
from customers.models import Subscription
from customers.operations.subscriptions import terminate_subscription
from tests.api_client import code_of, ids_of, refusal_of
from tests.customers.bodies import new_subscription
from tests.factories import NOW, make_customer, make_operator_key, make_plan, make_product, make_subscription

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = "2026-03-10T12:00:01Z"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_subscription_is_started_with_its_key_and_read_without(api: APIClient) -> None:
    plan, customer = make_plan(name="Pro"), make_customer(timezone="Asia/Manila")
    body = {"plan": plan.id, "external_id": "S-1", "billing_time": "anniversary"}

    created = api.post("/v1/subscriptions", {**body, "customer": customer.id, "starts_at": "2026-03-01T08:00:00+08:00"})
    subscription = created.json()

    assert created.status_code == 201
    assert created["Location"] == f"/v1/subscriptions/{subscription['id']}"
    credential = subscription.pop("credential")
    assert subscription == {
        **body, "id": subscription["id"], "name": "Pro", "customer": customer.id, "product": plan.product_id,
        "status": "active", "starts_at": "2026-03-01T00:00:00Z", "bill_from": None, "ends_at": None,
        "terminated_at": None, "canceled_at": None, "pending_change": None, "previous": None,
        "current_period": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-31T16:00:00Z"},
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    assert re.fullmatch("sk_live_[0-9a-f]{32}", credential["key"])
    assert credential == {
        "id": credential["id"], "type": "api_key", "name": "Pro", "key": credential["key"], "prefix": "sk_live_",
        "last_four": credential["key"][-4:],
    }  # fmt: skip

    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, subscription, created["ETag"])
    assert api.get("/v1/subscriptions").json()["data"] == [subscription]
    verified = api.post("/v1/credentials/verify", {"key": credential["key"]}).json()
    assert (verified["valid"], verified["subscription"]) == (True, subscription["id"])


@pytest.mark.parametrize("product_type", ["AI_AGENT", "MCP_SERVER"])
def test_an_agent_gets_a_client_id_and_its_secret_once(api: APIClient, product_type: str) -> None:
    plan = make_plan(product=make_product(product_type=product_type))

    created = api.post("/v1/subscriptions", new_subscription(plan=plan.id)).json()

    credential = created["credential"]
    assert set(credential) == {"id", "type", "name", "client_id", "client_secret", "prefix", "last_four"}
    assert credential["type"] == "client_credentials"
    assert re.fullmatch("mcs_[0-9a-f]{32}", credential["client_secret"])
    assert api.post("/v1/credentials/verify", {"key": credential["client_secret"]}).json()["valid"]
    shown = api.get(f"/v1/credentials/{credential['id']}")
    assert shown.json()["client_id"] == credential["client_id"]
    assert credential["client_secret"] not in shown.content.decode()


def test_a_subscription_begins_now_or_later_as_the_clock_has_it(api: APIClient, clock: time_machine.Traveller) -> None:
    now = api.post("/v1/subscriptions", new_subscription()).json()
    later = api.post("/v1/subscriptions", new_subscription(starts_at=LATER))

    assert (now["starts_at"], now["status"]) == ("2026-03-10T12:00:00Z", "active")
    assert (later.json()["status"], later.json()["current_period"]) == ("pending", None)
    clock.shift(1)
    assert api.get(later["Location"]).json()["status"] == "active"


def test_a_subscription_is_terminated_with_its_key_and_final_invoice(
    api: APIClient, clock: time_machine.Traveller
) -> None:
    created = api.post("/v1/subscriptions", new_subscription())
    clock.shift(HOUR)

    ended = api.post(f"{created['Location']}/terminate")

    assert ended.status_code == 200
    expected = {name: value for name, value in created.json().items() if name != "credential"}
    moment = "2026-03-10T13:00:00Z"
    assert ended.json() == {
        **expected, "status": "terminated", "terminated_at": moment, "current_period": None, "updated_at": moment
    }  # fmt: skip
    assert api.get(created["Location"]).json() == ended.json()
    verified = api.post("/v1/credentials/verify", {"key": created.json()["credential"]["key"]}).json()
    assert verified["code"] == "revoked"
    assert Invoice.objects.filter(customer_id=expected["customer"]).count() == 1
    assert code_of(api.post(f"{created['Location']}/terminate")) == (409, "subscription_ended")


def test_a_subscription_that_has_not_begun_is_canceled_for_good(api: APIClient) -> None:
    path = api.post("/v1/subscriptions", new_subscription(starts_at=LATER))["Location"]

    ended = api.post(f"{path}/terminate")

    assert (ended.status_code, ended.json()["status"], ended.json()["terminated_at"]) == (200, "canceled", None)
    assert ended.json()["canceled_at"] == "2026-03-10T12:00:00Z"
    assert code_of(api.post(f"{path}/terminate")) == (409, "subscription_ended")
    assert not Invoice.objects.exists()


def test_subscriptions_are_listed_newest_first_and_found(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    old = make_subscription(external_id="S-1", now=NOW - HOUR)
    ended, new = make_subscription(), make_subscription(starts_at=NOW + HOUR)
    terminate_subscription(ended.id, now=NOW)

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/subscriptions{query}"))

    with django_assert_max_num_queries(4):
        assert listed() == [new.id, ended.id, old.id]
    assert (listed("?limit=1"), listed("?limit=2&offset=1")) == ([new.id], [ended.id, old.id])
    by_status = [listed(f"?status={status}") for status in ("active", "pending", "terminated", "canceled")]
    assert by_status == [[old.id], [new.id], [ended.id], []]
    assert (listed(f"?customer={old.customer_id}"), listed(f"?plan={new.plan_id}")) == ([old.id], [new.id])
    assert (listed("?external_id=S-1"), listed("?external_id=S")) == ([old.id], [])
    assert refusal_of(api.get("/v1/subscriptions?status=ended")) == (400, "invalid_status", "status")
    assert refusal_of(api.get("/v1/subscriptions?customer=acme")) == (400, "invalid_customer", "customer")
    assert refusal_of(api.get("/v1/subscriptions?name=x")) == (400, "unknown_field", "name")


@pytest.mark.parametrize("pk", ["nonsense", "sub_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_subscription_is_not_found(api: APIClient, pk: str) -> None:
    answers = [api.get(f"/v1/subscriptions/{pk}"), api.post(f"/v1/subscriptions/{pk}/terminate")]

    assert {code_of(answer) for answer in answers} == {(404, "subscription_not_found")}


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, nobody = api_of("customers:read"), api_of("customers:write"), APIClient()
    path = f"/v1/subscriptions/{make_subscription().id}"

    assert {reader.get("/v1/subscriptions").status_code, reader.get(path).status_code} == {200}
    assert code_of(writer.get(path)) == (403, "insufficient_scope")
    for client, refusal in ((reader, (403, "insufficient_scope")), (nobody, (401, "authentication_required"))):
        assert code_of(client.post("/v1/subscriptions", new_subscription())) == refusal
        assert code_of(client.post(f"{path}/terminate")) == refusal
    assert writer.post(f"{path}/terminate").status_code == 200


@pytest.mark.parametrize(
    ("product_type", "secret"), [("STANDARD_API", "key"), ("AGENTIC_API", "key"), ("AI_AGENT", "client_secret")]
)
def test_a_start_sent_again_has_its_effect_once_and_tells_no_secret_again(
    api: APIClient, product_type: str, secret: str
) -> None:
    body = new_subscription(plan=make_plan(product=make_product(product_type=product_type)).id)

    first, again = (api.post("/v1/subscriptions", body, headers={"Idempotency-Key": "once"}) for _ in range(2))

    assert again.status_code == 201
    assert (again["Idempotency-Replayed"], again["Location"]) == ("true", first["Location"])
    shown = {**first.json()["credential"], secret: None}
    replayed = again.json()["credential"]
    # A client id is shown with its secret, and may be looked up afterwards.
    assert {**replayed, "client_id": shown.get("client_id")} == {
        **shown, "client_id": shown.get("client_id"), "secret_already_shown": True
    }  # fmt: skip
    assert {**again.json(), "credential": {}} == {**first.json(), "credential": {}}
    assert (Subscription.objects.count(), Credential.objects.count()) == (1, 1)


def test_history_names_the_key_that_acted() -> None:
    key, secret = make_operator_key("customers:write")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    created = client.post("/v1/subscriptions", new_subscription())
    client.post(f"{created['Location']}/terminate")

    subscription = Subscription.objects.get(pk=created.json()["id"])
    actors = [row.history_actor for one in (subscription, subscription.credentials.get()) for row in one.history.all()]
    assert actors == [f"operator key {key.name}"] * 4
