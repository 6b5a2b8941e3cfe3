"""Usage over the API of one team, agent, subscriber and so on, at its share of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import time_machine
from rest_framework.test import APIClient

from tests.billing.usage_house import BREAKDOWNS, House, furnish, send, usage_of
from tests.billing.usage_wire import NOW
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def house() -> House:
    """Return a customer with one of everything that usage is told apart by."""
    return furnish()


def test_of_one_metric_only_what_fed_it_is_told(api: APIClient, house: House) -> None:
    send("1", credential=house.ids["key a"], properties={"tokens": 4, "latency_ms": 5, "model": "m"})
    send("2", credential=house.ids["key b"], properties={"latency_ms": 5})

    found = usage_of(api, house.customer, metric=str(house.tokens.id))

    cost = Decimal("0.000000000028")
    assert found["summary"] == {
        "total_requests": 1,
        "total_tokens": 0,
        "total_units": 4,
        "total_cost": cost,
        "average_latency_ms": None,
    }
    assert found["breakdown"] == [
        {
            "date": "2026-02-21",
            "requests": 1,
            "tokens": 0,
            "units": 4,
            "cost": cost,
            "by_model": {"m": {"requests": 1, "units": 4, "cost": cost}},
        }
    ]


def test_a_filter_keeps_its_part_of_everything(api: APIClient, house: House) -> None:
    ids = house.ids
    send("1", credential=ids["key a"], properties={"tokens": 3, "latency_ms": 10})
    send("2", credential=ids["key b"], properties={"tokens": 5, "latency_ms": 30})

    found = usage_of(api, house.customer, team=ids["team a"], breakdown_by="credential")

    assert found["summary"] == {
        "total_requests": 1,
        "total_tokens": 3,
        "total_cost": Decimal("1.000000000021"),
        "average_latency_ms": 10,
    }
    assert list(found["breakdown"][0]["by_credential"]) == [ids["key a"]]


def test_filters_are_all_held_to(api: APIClient, house: House) -> None:
    ids = house.ids
    send("1", credential=ids["key a"], properties={"model": "m"})
    send("2", credential=ids["key a"], properties={"model": "n"})
    send("3", credential=ids["key b"], properties={"model": "m"})

    def requests(**only: str) -> int:
        found: int = usage_of(api, house.customer, **only)["summary"]["total_requests"]
        return found

    assert requests(model="m") == 2
    assert requests(model="m", agent=ids["agent a"]) == 1
    assert requests(model="n", agent=ids["agent b"]) == 0
    assert requests(model="unknown") == 0
    assert requests(product=ids["product a"], subscription=ids["subscription a"]) == 2
    assert requests(product=ids["product a"], subscription=ids["subscription b"]) == 0


UNKNOWN = {
    "team": "team_01h455vb4pex5vsknk084sn02q",
    "agent": "agent_01h455vb4pex5vsknk084sn02q",
    "subscriber": "subr_01h455vb4pex5vsknk084sn02q",
    "credential": "key_01h455vb4pex5vsknk084sn02q",
    "product": "prod_01h455vb4pex5vsknk084sn02q",
    "subscription": "sub_01h455vb4pex5vsknk084sn02q",
    "metric": "metr_01h455vb4pex5vsknk084sn02q",
    "model": "gpt-0",
}


@pytest.mark.parametrize("by", BREAKDOWNS)
def test_a_filter_by_something_unknown_finds_nothing(api: APIClient, house: House, by: str) -> None:
    send("1", credential=house.ids["key a"])

    found = usage_of(api, house.customer, **{by: UNKNOWN[by]})

    assert (found["breakdown"], found["summary"]["total_cost"]) == ([], 0)


REFUSED = [
    ("breakdown_by=weather", "invalid_breakdown_by"),
    ("breakdown_by=Team", "invalid_breakdown_by"),
    *((f"{by}=x", f"invalid_{by}") for by in BREAKDOWNS if by != "model"),
    ("team=agent_01h455vb4pex5vsknk084sn02q", "invalid_team"),
    ("model=", "invalid_model"),
    (f"model={'x' * 256}", "invalid_model"),
]


@pytest.mark.parametrize(("parameters", "code"), REFUSED)
def test_a_breakdown_or_filter_that_is_none_is_refused(api: APIClient, parameters: str, code: str) -> None:
    answer = api.get(f"/v1/customers/{make_customer().id}/usage?{parameters}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
