"""What Azure API Management may answer when something goes wrong, and what is said of it."""

from __future__ import annotations

import pytest

from catalog.gateways.azure.policy import with_elements
from catalog.gateways.azure.service import API_VERSION
from catalog.gateways.diffing import changes_between
from catalog.gateways.failures import (
    Conflict,
    GatewayFailure,
    NotAllowed,
    OutcomeUnknown,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from tests.gateways.azure_cases import GOLD, REF, connected, missing, restore
from tests.gateways.fakes.azure import CREDENTIALS, FakeAzure
from tests.gateways.fakes.server import Fault


def test_a_doctype_is_not_expanded() -> None:
    bomb = '<!DOCTYPE p [<!ENTITY a "aaaa">]><policies><inbound>&a;</inbound></policies>'

    with pytest.raises(Conflict):
        with_elements(bomb, [])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("GET", 429, b'{"error": {"message": "slow down"}}', {"Retry-After": "17"}, times=9), Throttled),
        (Fault("GET", 500, b'{"error": {"message": "oops"}}', times=9), Unavailable),
        (Fault("GET", 403, b'{"error": {"code": "AuthorizationFailed", "message": "no"}}'), NotAllowed),
        (Fault("GET", 200, b"<html>Sign in</html>", {"Content-Type": "text/html"}), UnreadableAnswer),
        (Fault("GET", 200, b'{"value": [', {"Content-Type": "application/json"}), UnreadableAnswer),
        (Fault("GET", times=9), Unavailable),
    ],
)
def test_each_failure_is_told_by_its_kind(azure: FakeAzure, fault: Fault, kind: type[GatewayFailure]) -> None:
    azure.faults.append(fault)

    with pytest.raises(kind) as failure:
        connected(azure).fetch(GOLD, REF)

    assert failure.value.retry_after_s == (17.0 if kind is Throttled else None)


def test_a_failure_in_passing_is_not_noticed(azure: FakeAzure) -> None:
    azure.faults += [Fault("GET", 500), Fault("GET", 503), Fault("PUT", 502)]

    restore(connected(azure), GOLD)

    assert missing(connected(azure), GOLD) == []


@pytest.mark.parametrize("effect", [False, True])
def test_a_lost_answer_makes_nothing_twice(azure: FakeAzure, effect: bool) -> None:
    adapter = connected(azure)
    azure.faults.append(Fault("PUT", times=3, effect=effect))
    with pytest.raises((Unavailable, OutcomeUnknown, GatewayFailure)):
        restore(adapter, GOLD)

    restore(adapter, GOLD)

    assert missing(adapter, GOLD) == []
    assert list(azure.products) == ["meterdesk-plan_gold"]


def test_somebody_elses_change_in_between_is_not_overwritten(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)
    azure.products["meterdesk-plan_gold"]["state"] = "notPublished"
    changes = changes_between(adapter.fetch(GOLD, REF), adapter.desired(GOLD, REF))
    azure.etags["product meterdesk-plan_gold"] += 1

    with pytest.raises(Conflict, match="412"):
        adapter.apply(changes[0], GOLD, REF)
    restore(adapter, GOLD)

    assert missing(adapter, GOLD) == []


def test_wrong_credentials_say_so_and_never_what_they_are(azure: FakeAzure) -> None:
    wrong = {**CREDENTIALS, "client_secret": "another-secret"}

    with pytest.raises(NotAllowed, match="AADSTS7000215") as failure:
        connected(azure, credentials=wrong).probe()

    assert "another-secret" not in str(failure.value)
    assert connected(azure).probe().version == API_VERSION


def test_a_token_that_has_run_out_is_replaced(azure: FakeAzure) -> None:
    adapter = connected(azure)
    adapter.probe()
    azure.token = "a newer token"

    adapter.probe()

    assert len([sent for sent in azure.requests("POST") if "/oauth2/" in sent.path]) == 2
