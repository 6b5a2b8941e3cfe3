"""Planned ends and changes of plan over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import Invoice
from customers.models import Customer, Subscription
from customers.operations.plan_changes import change_plan
from tests.api_client import code_of, ids_of, refusal_of
from tests.customers.bodies import new_subscription
from tests.factories import NOW, make_plan, make_product, make_subscription

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
NOW_TEXT, APRIL_TEXT, MAY_TEXT = "2026-03-10T12:00:00Z", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def path_of(subscription: Subscription | str) -> str:
    return f"/v1/subscriptions/{getattr(subscription, 'id', subscription)}"


def plan_at(amount: str, **fields: Any) -> str:
    """Return the id of a plan that costs ``amount`` a month."""
    return str(make_plan(amount=Decimal(amount), **fields).id)


def test_a_dearer_plan_answers_with_the_subscription_that_now_runs(api: APIClient) -> None:
    created = api.post(
        "/v1/subscriptions", new_subscription(external_id="S-1", name="Main", starts_at="2026-03-01T00:00:00Z")
    ).json()
    plan = plan_at("200")

    answer = api.post(f"{path_of(created['id'])}/change-plan", {"plan": plan})

    changed = answer.json()
    assert (answer.status_code, changed["id"] != created["id"]) == (200, True)
    shared = {name: created[name] for name in ("customer", "external_id", "name", "billing_time", "status", "ends_at")}
    assert {**changed, **shared, "plan": plan, "previous": created["id"], "starts_at": NOW_TEXT} == changed
    old = api.get(path_of(created["id"])).json()
    assert (old["status"], old["terminated_at"], old["pending_change"]) == ("terminated", NOW_TEXT, None)
    verified = api.post("/v1/credentials/verify", {"key": created["credential"]["key"]}).json()
    assert (verified["valid"], verified["subscription"]) == (True, changed["id"])
    assert Invoice.objects.get().status == "finalized"


def test_a_cheaper_plan_answers_with_what_is_pending(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/subscriptions", new_subscription(external_id="S-1")).json()
    path, plan = path_of(created["id"]), plan_at("10")

    answer = api.post(f"{path}/change-plan", {"plan": plan})

    changed = answer.json()
    assert (answer.status_code, changed["id"], changed["plan"]) == (200, created["id"], created["plan"])
    assert (changed["ends_at"], changed["pending_change"]) == (APRIL_TEXT, {"plan": plan, "at": APRIL_TEXT})
    assert changed["current_period"] == created["current_period"]
    assert [one["pending_change"] is None for one in api.get("/v1/subscriptions").json()["data"]] == [True, False]

    clock.move_to(APRIL)
    assert (api.get(path).json()["status"], api.get(path).json()["pending_change"]) == ("terminated", None)
    verified = api.post("/v1/credentials/verify", {"key": created["credential"]["key"]}).json()
    following = api.get(path_of(verified["subscription"])).json()
    assert (following["plan"], following["status"], following["previous"]) == (plan, "active", created["id"])


def test_a_pending_change_is_canceled(api: APIClient) -> None:
    subscription = make_subscription()
    path = path_of(subscription)
    api.post(f"{path}/change-plan", {"plan": plan_at("10")})

    answer = api.post(f"{path}/cancel-pending-change")

    assert answer.status_code == 200
    assert (answer.json()["ends_at"], answer.json()["pending_change"]) == (None, None)
    assert code_of(api.post(f"{path}/cancel-pending-change")) == (409, "no_pending_change")
    statuses = {one["status"] for one in api.get("/v1/subscriptions").json()["data"]}
    assert statuses == {"active", "canceled"}


REFUSED: list[tuple[Callable[[], str], tuple[int, str, str]]] = [
    (lambda: plan_at("200", active=False), (409, "rate_plan_not_active", "plan")),
    (lambda: plan_at("200", currency="EUR"), (409, "currency_mismatch", "plan")),
    (lambda: plan_at("200", product=make_product(stage="DEPRECATED")), (409, "product_not_subscribable", "")),
    (lambda: plan_at("2", product=make_product(product_type="AI_AGENT")), (409, "credentials_do_not_fit", "plan")),
    (lambda: str(Subscription.objects.get().plan_id), (409, "plan_unchanged", "plan")),
    (lambda: "plan_01h455vb4pex5vsknk084sn02q", (404, "rate_plan_not_found", "plan")),
    (lambda: "small", (400, "invalid_plan", "plan")),
]


@pytest.mark.parametrize(("plan", "refusal"), REFUSED)
def test_a_change_of_plan_that_cannot_be_is_refused(
    api: APIClient, plan: Callable[[], str], refusal: tuple[int, str, str]
) -> None:
    path = f"{path_of(make_subscription())}/change-plan"

    assert refusal_of(api.post(path, {"plan": plan()})) == refusal

    assert refusal_of(api.post(path, {})) == (400, "required", "plan")
    assert refusal_of(api.post(path, {"plan": plan_at("200"), "at": NOW_TEXT})) == (400, "unknown_field", "at")
    assert api.post(path, {"plan": plan_at("200")}).status_code == 200


def test_only_a_running_subscription_of_a_going_concern_changes_its_plan(api: APIClient) -> None:
    pending, running = make_subscription(starts_at=APRIL), make_subscription()
    body = {"plan": plan_at("200")}

    assert code_of(api.post(f"{path_of(pending)}/change-plan", body)) == (409, "subscription_not_active")
    Customer.objects.filter(pk=running.customer_id).update(deactivated_at=NOW)
    assert code_of(api.post(f"{path_of(running)}/change-plan", body)) == (409, "customer_inactive")
    assert code_of(api.post("/v1/subscriptions", new_subscription(customer=running.customer_id))) == (
        409,
        "customer_inactive",
    )
    Customer.objects.filter(pk=running.customer_id).update(deactivated_at=None)
    assert api.post(f"{path_of(running)}/change-plan", body).status_code == 200


def test_a_subscription_is_agreed_with_an_end_and_a_first_day_to_bill(
    api: APIClient, clock: time_machine.Traveller
) -> None:
    body = new_subscription(starts_at="2026-03-01T00:00:00Z", bill_from=APRIL_TEXT, ends_at=MAY_TEXT)

    created = api.post("/v1/subscriptions", body)

    said = created.json()
    assert (said["bill_from"], said["ends_at"], said["status"]) == (APRIL_TEXT, MAY_TEXT, "active")
    clock.move_to(APRIL + timedelta(days=30, microseconds=-1))
    assert api.get(created["Location"]).json()["current_period"] == {"start": APRIL_TEXT, "end": MAY_TEXT}
    clock.move_to(APRIL + timedelta(days=30))
    ended = api.get(created["Location"]).json()
    assert (ended["status"], ended["terminated_at"], ended["current_period"]) == ("terminated", None, None)


def test_a_subscription_is_changed(api: APIClient) -> None:
    make_subscription(external_id="taken")
    subscription = make_subscription(plan=make_plan(name="Pro"), name="Main")
    path = path_of(subscription)

    changed = api.patch(path, {"external_id": "S-1", "ends_at": "2026-04-01T08:00:00+08:00", "name": ""})

    assert changed.status_code == 200
    assert [changed.json()[name] for name in ("external_id", "ends_at", "name")] == ["S-1", APRIL_TEXT, "Pro"]
    assert api.get(path).json() == changed.json()
    assert api.patch(path, {"ends_at": None}).json()["ends_at"] is None
    assert refusal_of(api.patch(path, {"ends_at": NOW_TEXT})) == (400, "invalid_ends_at", "ends_at")
    assert refusal_of(api.patch(path, {"external_id": "taken"})) == (409, "duplicate_external_id", "external_id")
    assert refusal_of(api.patch(path, {"plan": plan_at("1")})) == (400, "unknown_field", "plan")
    assert code_of(api.patch(path, {"name": "X"}, headers={"If-Match": '"other"'})) == (409, "version_mismatch")
    change_plan(subscription.id, plan=plan_at("1"), now=NOW)
    assert refusal_of(api.patch(path, {"ends_at": None})) == (409, "plan_change_pending", "ends_at")
    assert api.patch(path, {"name": "X"}).json()["name"] == "X"


@pytest.mark.parametrize("body", [{}, {"at": None}, {"at": NOW_TEXT}])
def test_a_termination_without_another_time_is_now(api: APIClient, body: dict[str, Any]) -> None:
    path = path_of(make_subscription(starts_at=NOW - timedelta(days=1)))

    assert api.post(f"{path}/terminate", body).json()["terminated_at"] == NOW_TEXT


def test_a_termination_is_planned(api: APIClient) -> None:
    path = path_of(make_subscription())

    planned = api.post(f"{path}/terminate", {"at": APRIL_TEXT}).json()

    assert (planned["status"], planned["ends_at"], planned["terminated_at"]) == ("active", APRIL_TEXT, None)
    for at in ("2026-03-10T11:59:59Z", "soon", "2026-04-01T00:00:00"):
        assert refusal_of(api.post(f"{path}/terminate", {"at": at})) == (400, "invalid_at", "at")
    later = path_of(make_subscription(starts_at=APRIL))
    assert refusal_of(api.post(f"{later}/terminate", {"at": APRIL_TEXT})) == (400, "invalid_at", "at")
    assert api.post(f"{later}/terminate", {"at": MAY_TEXT}).json()["ends_at"] == MAY_TEXT


def test_ended_subscriptions_are_found_by_their_status_before_a_worker_has_run(
    api: APIClient, clock: time_machine.Traveller
) -> None:
    ended, open_ended = make_subscription(ends_at=APRIL), make_subscription()
    clock.move_to(APRIL)

    found = {status: ids_of(api.get(f"/v1/subscriptions?status={status}")) for status in ("active", "terminated")}

    assert found == {"active": [open_ended.id], "terminated": [ended.id]}


def test_a_change_sent_again_has_its_effect_once(api: APIClient) -> None:
    path, body = f"{path_of(make_subscription())}/change-plan", {"plan": plan_at("200")}

    first, again = (api.post(path, body, headers={"Idempotency-Key": "once"}) for _ in range(2))

    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert Subscription.objects.count() == 2


def test_a_reader_changes_nothing(api_of: Callable[..., APIClient]) -> None:
    reader, path = api_of("customers:read"), path_of(make_subscription())

    answers = [
        reader.patch(path, {"name": "X"}),
        reader.post(f"{path}/terminate", {"at": APRIL_TEXT}),
        reader.post(f"{path}/change-plan", {"plan": plan_at("200")}),
        reader.post(f"{path}/cancel-pending-change"),
    ]

    assert {code_of(answer) for answer in answers} == {(403, "insufficient_scope")}


def test_the_list_takes_few_queries_however_many_plans_change(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(4):
        change_plan(make_subscription().id, plan=plan_at("1"), now=NOW)

    with django_assert_max_num_queries(4):
        assert len(api.get("/v1/subscriptions").json()["data"]) == 8
