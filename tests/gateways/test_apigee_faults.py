"""What Apigee may answer when something goes wrong, and what is said of it."""

from __future__ import annotations

import pytest

from catalog.gateways.diffing import changes_between
from catalog.gateways.failures import (
    GatewayFailure,
    NotAllowed,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from tests.gateways.apigee_cases import GOLD, NAME, REF, connected, grant, missing, restore
from tests.gateways.fakes.apigee import SETTINGS, FakeApigee
from tests.gateways.fakes.server import Fault


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("GET", 429, b'{"error": {"message": "slow down"}}', {"Retry-After": "17"}, times=9), Throttled),
        (Fault("GET", 500, b'{"error": {"message": "oops"}}', times=9), Unavailable),
        (Fault("GET", 403, b'{"error": {"status": "PERMISSION_DENIED", "message": "no"}}'), NotAllowed),
        (Fault("GET", 200, b"<html>Sign in</html>", {"Content-Type": "text/html"}), UnreadableAnswer),
        (Fault("GET", 200, b'{"apiProduct": [', {"Content-Type": "application/json"}), UnreadableAnswer),
        (Fault("GET", times=9), Unavailable),
    ],
)
def test_each_failure_is_told_by_its_kind(apigee: FakeApigee, fault: Fault, kind: type[GatewayFailure]) -> None:
    apigee.faults.append(fault)

    with pytest.raises(kind) as failure:
        connected(apigee).fetch(GOLD, REF)

    assert failure.value.retry_after_s == (17.0 if kind is Throttled else None)


@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize("path", ["/apiproducts", "/developers", "/developers/.*/apps", "/developers/.*/keys"])
def test_a_lost_answer_makes_nothing_twice(apigee: FakeApigee, path: str, effect: bool) -> None:
    adapter = connected(apigee)
    apigee.faults.append(Fault(f"POST /v1/organizations/org-1{path}", effect=effect))

    def restore_and_place() -> None:
        restore(adapter, GOLD)
        adapter.place_key(grant(), REF, "prod_1")

    with pytest.raises(Unavailable):
        restore_and_place()

    restore_and_place()

    assert missing(adapter, GOLD) == []
    [key] = apigee.all_keys()
    assert [one["apiproduct"] for one in key["apiProducts"]] == [NAME]


def test_a_product_that_appeared_in_between_is_taken_over_if_it_is_ours(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    changes = changes_between(adapter.fetch(GOLD, REF), adapter.desired(GOLD, REF))
    restore(connected(apigee), GOLD)
    apigee.products[NAME]["quota"] = "1"

    adapter.apply(changes[0], GOLD, REF)

    assert missing(adapter, GOLD) == []


def test_wrong_credentials_say_so_and_never_what_they_are(apigee: FakeApigee) -> None:
    apigee.refuses_tokens = True
    with pytest.raises(NotAllowed, match="invalid_grant") as failure:
        connected(apigee).probe()
    assert "PRIVATE KEY" not in str(failure.value)
    with pytest.raises(NotAllowed, match="no JSON key file"):
        connected(apigee, credentials={"service_account": "hunter2"}).probe()

    apigee.refuses_tokens = False
    assert connected(apigee).probe().edition == "CLOUD"


def test_an_environment_that_is_not_there_is_a_warning(apigee: FakeApigee) -> None:
    settings = {**SETTINGS, "environments": "prod,staging"}

    assert connected(apigee, settings=settings).probe().warnings == ("The organization has no environment 'staging'",)


def test_a_token_that_has_run_out_is_replaced(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    adapter.probe()
    apigee.token = "a-newer-token"

    adapter.probe()

    assert len([sent for sent in apigee.requests("POST") if sent.path == "/token"]) == 2


def test_tokens_are_asked_for_at_public_addresses_only(apigee: FakeApigee) -> None:
    with pytest.raises(NotAllowed, match="https"):
        connected(apigee, base_url="", inside=()).probe()

    assert apigee.exchanges == []
