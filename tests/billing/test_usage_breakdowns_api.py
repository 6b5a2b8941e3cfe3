"""A customer's usage over the API by model, team, agent, subscriber, credential, product, subscription and metric."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from customers.models import UNCLASSIFIED_ID
from customers.operations.agents import update_agent
from tests.billing.usage_house import BREAKDOWNS, House, furnish, parts_of, send, sum_exactly, usage_of
from tests.billing.usage_wire import JANUARY, NOW
from tests.factories import make_charge, make_metric, make_plan, make_subscriber, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def house() -> House:
    """Return a customer with one of everything that usage is told apart by."""
    return furnish()


def test_each_part_has_its_label(api: APIClient, house: House) -> None:
    ids = house.ids
    send("1", credential=ids["key a"], properties={"model": "m"})
    send("2", credential=ids["key a"], subscriber=ids["subscriber"])
    send("3", credential=ids["key b"])
    send("4", credential=ids["key"])
    send("5", subscription=ids["subscription b"], type="other")

    def found(by: str) -> dict[str, Any]:
        return parts_of(api, house.customer, by)

    assert found("model") == {"m": (1, 1), "unknown": (4, 2)}
    assert found("team") == {ids["team a"]: (2, 2), ids["team b"]: (1, 1), "unassigned": (2, 0)}
    assert found("agent") == {ids["agent a"]: (2, 2), ids["agent b"]: (1, 1), "unassigned": (2, 0)}
    assert found("subscriber") == {ids["subscriber"]: (1, 1), "unassigned": (4, 2)}
    assert found("credential") == {
        ids["key a"]: (2, 2),
        ids["key b"]: (1, 1),
        ids["key"]: (1, 0),
        "unassigned": (1, 0),
    }
    assert found("product") == {ids["product a"]: (2, 2), ids["product b"]: (2, 1), "unassigned": (1, 0)}
    assert found("subscription") == {
        ids["subscription a"]: (2, 2),
        ids["subscription b"]: (2, 1),
        "unassigned": (1, 0),
    }


def test_a_row_has_the_parts_that_were_asked_for_and_no_others(api: APIClient, house: House) -> None:
    send("1", credential=house.ids["key a"])

    for by in BREAKDOWNS:
        [row] = usage_of(api, house.customer, breakdown_by=by)["breakdown"]
        assert [name for name in row if name.startswith("by_")] == [f"by_{by}"]
    [row] = usage_of(api, house.customer)["breakdown"]
    assert [name for name in row if name.startswith("by_")] == ["by_model"]


def test_by_metric_requests_are_the_events_that_fed_it_and_units_are_counted(api: APIClient, house: House) -> None:
    for name, properties in {"1": {"tokens": 4}, "2": {"tokens": Decimal("2.5")}, "3": {}}.items():
        send(name, credential=house.ids["key a"], properties=properties)
    send("4", credential=house.ids["key a"], type="other", properties={"tokens": 7})

    [row] = usage_of(api, house.customer, breakdown_by="metric")["breakdown"]

    assert (row["requests"], row["tokens"], row["cost"]) == (4, Decimal("13.5"), Decimal("3.0000000000455"))
    assert row["by_metric"] == {
        house.calls.id: {"requests": 3, "units": 3, "cost": 3},
        house.tokens.id: {"requests": 2, "units": Decimal("6.5"), "cost": Decimal("0.0000000000455")},
    }
    assert "units" not in row


def test_the_units_of_a_maximum_are_the_greatest(api: APIClient) -> None:
    peak = make_metric(event_type="chat", aggregation="MAX", property="seats")
    subscription = make_subscription(plan=make_plan(charges=[make_charge(peak)]), starts_at=JANUARY)
    for name, at, seats in (("1", "2026-02-21T10:00:00Z", 5), ("2", "2026-02-21T12:00:00Z", 3)):
        send(name, at=at, subscription=subscription.id, properties={"seats": seats})

    [row] = usage_of(api, subscription.customer, breakdown_by="metric")["breakdown"]

    assert row["by_metric"][str(peak.id)] == {"requests": 2, "units": 5, "cost": Decimal("0.05")}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_asked_for_the_parts_add_up(api: APIClient, house: House, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    keys = [house.ids[name] for name in ("key a", "key b", "key")]
    for number in range(60):
        who = random.choice([{}, {"subscriber": house.ids["subscriber"]}, {"subscriber": "nobody@example.org"}])
        tokens = Decimal(random.randrange(1, 10**14)).scaleb(-12)
        properties = {"tokens": tokens, **random.choice([{}, {"model": "m"}, {"model": "n"}])}
        at = f"2026-02-{random.randrange(18, 21)}T{random.randrange(24):02}:00:00Z"
        send(str(number), at=at, credential=random.choice(keys), properties=properties, **who)

    whole = usage_of(api, house.customer)["summary"]
    assert whole["total_cost"] > 1
    for by in BREAKDOWNS:
        found = usage_of(api, house.customer, breakdown_by=by)
        assert found["summary"] == whole
        assert sum_exactly(row["cost"] for row in found["breakdown"]) == whole["total_cost"]
        labels = set()
        for row in found["breakdown"]:
            parts = row[f"by_{by}"]
            assert sum_exactly(part["cost"] for part in parts.values()) == row["cost"]
            if by != "metric":
                assert sum(part["requests"] for part in parts.values()) == row["requests"]
            labels |= set(parts)
        for label in labels - {"unassigned"}:
            only = usage_of(api, house.customer, **{by: label})
            of_label = [row[f"by_{by}"][label] for row in found["breakdown"] if label in row[f"by_{by}"]]
            assert only["summary"]["total_cost"] == sum_exactly(part["cost"] for part in of_label)
            assert only["summary"]["total_requests"] == sum(part["requests"] for part in of_label)


def test_usage_follows_an_agent_to_its_new_team(api: APIClient, house: House) -> None:
    send("1", credential=house.ids["key a"])
    assert list(parts_of(api, house.customer, "team")) == [house.ids["team a"]]

    update_agent(house.ids["agent a"], team=house.ids["team b"], now=NOW)

    assert list(parts_of(api, house.customer, "team")) == [house.ids["team b"]]
    assert list(parts_of(api, house.customer, "agent")) == [house.ids["agent a"]]


def test_nobodys_usage_is_told_apart_by_subscriber(api: APIClient) -> None:
    eve = make_subscriber()
    send("1", subscriber=eve.email)
    send("2", subscriber="nobody@example.org")

    assert parts_of(api, str(UNCLASSIFIED_ID), "subscriber") == {eve.id: (1, 0), "unassigned": (1, 0)}
