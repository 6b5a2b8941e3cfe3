"""MuleSoft goes wrong: every failure has its class and sentence, and the next run puts all right, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.gateways import client as gateway_client
from catalog.gateways.failures import (
    Conflict,
    GatewayFailure,
    NotAllowed,
    ObjectMissing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from catalog.gateways.mulesoft import MuleSoftAdapter
from tests.gateways.fakes.api_manager import CREDENTIALS
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.fakes.server import Fault
from tests.gateways.mulesoft_cases import GOLD, REF, TIER, connected, grant, judged, missing, restore

JSON, HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html"}
DATE = "Sat, 21 Nov 2026 10:00:00 GMT"
#: 42 seconds after that, in seconds since 1970.
RESET = "1795255242"
LIST, MAKE, SET = "GET .*/tiers", "POST .*/tiers", "PUT .*/tiers"


@pytest.fixture
def mule() -> Iterator[FakeAnypoint]:
    with judged() as fake:
        yield fake


def problem(status: int, body: bytes = b'{"message": "no"}', **headers: str) -> Fault:
    """Return a fault that answers so; where and how often are set by the test."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault("", status, body, {**JSON, "X-Request-Id": "req-7", **named})


@pytest.mark.parametrize("at", [LIST, MAKE, SET])
@pytest.mark.parametrize(
    ("fault", "kind", "retry_after_s"),
    [
        (problem(429, Retry_After="17"), Throttled, 17),
        (problem(429, X_RateLimit_Reset=RESET, Date=DATE), Throttled, 42),
        (problem(429, X_RateLimit_Reset="19100", Date=DATE), Throttled, None),
        (problem(429, X_RateLimit_Reset=RESET), Throttled, None),
        (problem(503, b"", X_RateLimit_Reset=RESET, Date=DATE), Throttled, 42),
        (problem(403), NotAllowed, None),
        (problem(401, b"Unauthorized"), NotAllowed, None),
        (problem(404), ObjectMissing, None),
        (problem(409), Conflict, None),
        (problem(400), Refused, None),
        (problem(422), Refused, None),
        (problem(405), Refused, None),
        (Fault("", 200, b"<html>sign in</html>", HTML), UnreadableAnswer, None),
        (Fault("", 200, b'{"total": 1, "tiers": [', JSON), UnreadableAnswer, None),
        (Fault("", 302, b"", {"Location": "http://169.254.169.254/"}), UnreadableAnswer, None),
    ],
)  # fmt: skip
def test_what_anypoint_says_has_its_class_and_the_next_run_puts_it_right(
    mule: FakeAnypoint, at: str, fault: Fault, kind: type[GatewayFailure], retry_after_s: float | None
) -> None:
    adapter = connected(mule)
    if at == SET:
        restore(adapter)
        mule.tier(TIER)["limits"].pop()
    mule.faults.append(Fault(at, fault.status, fault.body, fault.headers, times=2 if fault.status == 401 else 1))

    with pytest.raises(kind) as failure:
        restore(adapter)

    assert type(failure.value) is kind
    assert failure.value.retry_after_s == retry_after_s
    assert "<html" not in str(failure.value)
    if fault.status not in (200, 302):
        assert (failure.value.status, failure.value.request_id) == (fault.status, "req-7")
    restore(adapter)
    assert missing(adapter) == []
    assert len(mule.tiers) == 1


@pytest.mark.parametrize("body", [b"[]", b'{"total": 1}', b'{"total": 1, "tiers": [{"name": "x"}]}', b"null", b"7"])
def test_a_list_that_is_none_is_unreadable(mule: FakeAnypoint, body: bytes) -> None:
    mule.faults.append(Fault(LIST, 200, body, JSON))
    if body == b"[]":
        assert missing(connected(mule)) == ["create policy", "create tier"]
        return

    with pytest.raises(UnreadableAnswer):
        connected(mule).fetch(GOLD, REF)


def test_too_many_calls_are_not_answered_with_more_of_them(mule: FakeAnypoint) -> None:
    mule.faults.append(problem(503, b""))
    mule.faults[0].at = LIST
    with pytest.raises(Throttled):
        connected(mule).fetch(GOLD, REF)
    assert len([sent for sent in mule.requests("GET") if sent.path.endswith("/tiers")]) == 1

    mule.exchanges.clear()
    mule.faults.append(Fault(LIST, 503, b'{"message": "maintenance"}', JSON, times=3))
    with pytest.raises(Unavailable, match="maintenance"):
        connected(mule).fetch(GOLD, REF)
    assert len([sent for sent in mule.requests("GET") if sent.path.endswith("/tiers")]) == 3


def test_a_failure_in_passing_is_not_noticed(mule: FakeAnypoint) -> None:
    restore(connected(mule))
    mule.tier(TIER)["limits"].pop()
    mule.faults += [Fault(LIST, 500), Fault("GET .*/policies", times=2), Fault(SET, 502)]

    restore(connected(mule))

    assert missing(connected(mule)) == []


def test_a_refusal_says_which_field_it_is_about(mule: FakeAnypoint) -> None:
    said = b'{"errors": [{"dataPath": "limits", "message": "should be fewer"}, {"message": "and more"}, "?"]}'
    mule.faults.append(Fault(MAKE, 400, said, JSON))

    with pytest.raises(Refused, match="limits should be fewer; and more"):
        restore(connected(mule))


def place(adapter: MuleSoftAdapter) -> dict[str, object]:
    """Restore, then place a key as one that nothing is known of, and return what was made."""
    restore(adapter)
    return dict(adapter.place_key(grant(), REF, "prod_1").made)


STEPS = (
    "POST .*/policies", "POST .*/tiers", "POST .*/applications", "POST .*/apis/77/contracts",
    "POST .*/contracts/.*/approve",
)  # fmt: skip


@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("path", STEPS)
@pytest.mark.parametrize("status", [None, 500])
def test_a_lost_answer_makes_nothing_twice_and_loses_no_secret(
    mule: FakeAnypoint, path: str, effect: bool, status: int | None
) -> None:
    adapter = connected(mule)
    mule.faults.append(Fault(path, status, effect=effect))

    with pytest.raises(Unavailable if status else OutcomeUnknown):
        place(adapter)
    made = place(adapter)

    assert missing(adapter) == []
    [application] = mule.applications.values()
    assert made == {"client_id": application["clientId"], "client_secret": application["clientSecret"]}
    [contract] = mule.contracts.values()
    assert (contract["status"], contract["tierId"]) == ("APPROVED", mule.tier(TIER)["id"])
    assert (len(mule.tiers), len(mule.policies)) == (1, 1)


@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("path", ["POST .*/revoke", "DELETE .*/contracts/", "DELETE .*/applications/"])
def test_a_removal_that_was_interrupted_is_brought_to_its_end(mule: FakeAnypoint, path: str, effect: bool) -> None:
    adapter = connected(mule)
    restore(adapter)
    handle = adapter.place_key(grant(), REF, "prod_1").handle
    mule.faults.append(Fault(path, effect=effect, times=3))

    with pytest.raises(Unavailable):
        adapter.remove_key(grant(), handle, REF, last=True)
    mule.faults.clear()
    adapter.remove_key(grant(), handle, REF, last=True)

    assert (mule.contracts, mule.applications) == ({}, {})


def test_who_takes_too_long_is_not_waited_for(mule: FakeAnypoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_client, "DEADLINE_S", 0.2)
    mule.faults.append(Fault(LIST, 200, silent_s=0.5, times=3))

    with pytest.raises(Unavailable, match="too long"):
        connected(mule).fetch(GOLD, REF)

    mule.faults.clear()
    monkeypatch.undo()
    assert missing(connected(mule)) == ["create policy", "create tier"]


def test_an_application_that_appeared_in_between_is_taken_over_if_it_is_ours(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter)
    made = adapter.place_key(grant(), REF, "prod_1").made
    mule.faults.append(Fault("GET .*/applications", 200, b"[]", JSON))

    assert adapter.place_key(grant(), REF, "prod_1").made == made
    assert len(mule.applications) == 1


def test_a_name_that_is_taken_where_we_cannot_look_is_a_conflict(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter)
    mule.faults.append(Fault("POST .*/applications", 409, b'{"message": "name must be unique"}', JSON))

    with pytest.raises(Conflict, match="unique"):
        adapter.place_key(grant(), REF, "prod_1")


def test_wrong_credentials_say_so_and_never_what_they_are(mule: FakeAnypoint) -> None:
    with pytest.raises(NotAllowed, match="401") as failure:
        connected(mule, credentials={**CREDENTIALS, "client_secret": "another-secret"}).probe()
    assert "another-secret" not in str(failure.value)
    mule.faults.append(Fault("POST /accounts", 400, b'{"error_description": "no s3cret-of-the-app"}', JSON))
    with pytest.raises(NotAllowed, match="no …"):
        connected(mule).probe()

    assert connected(mule).probe().version == "v1"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("POST /accounts", 429, b"", {"Retry-After": "5"}), Throttled),
        (Fault("POST /accounts", 503), Throttled),
        (Fault("POST /accounts", 500, times=3), Unavailable),
        (Fault("POST /accounts", 200, b"{}", JSON), NotAllowed),
        (Fault("POST /accounts", 200, b"[]", JSON), UnreadableAnswer),
    ],
)
def test_a_login_that_fails_is_sorted_too(mule: FakeAnypoint, fault: Fault, kind: type[GatewayFailure]) -> None:
    mule.faults.append(fault)

    with pytest.raises(kind):
        connected(mule).probe()

    assert connected(mule).probe().version == "v1"


def test_a_token_that_has_run_out_is_replaced(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    adapter.probe()
    mule.token = "a-newer-token"

    adapter.probe()

    assert len([sent for sent in mule.requests("POST") if sent.path.startswith("/accounts/")]) == 2
