"""AWS API Gateway goes wrong: every failure has its class and sentence, and the next run puts all right, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.gateways import client as gateway_client
from catalog.gateways.failures import (
    Conflict,
    GatewayFailure,
    NotAllowed,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from tests.gateways.aws_cases import document, grant, judged, missing, plan, restore
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.server import Fault

RECORD = document(plan("gold", rate_per_second=10), plan("silver", quota_per_day=5))
LIST, MAKE, PATCH, DROP = "GET /usageplans", "POST /usageplans$", "PATCH /usageplans", "DELETE /usageplans"
JSON, HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html"}


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with judged() as gateway:
        yield gateway


def aws_error(status: int, kind: str, message: str = "no", **headers: str) -> Fault:
    """Return a fault that answers as AWS does; where and how often are set by the test."""
    said = {"x-amzn-ErrorType": kind, "x-amzn-RequestId": "req-7", "Content-Type": "application/json", **headers}
    return Fault("", status=status, body=f'{{"message": "{message}"}}'.encode(), headers=said)


@pytest.mark.parametrize("at", [LIST, MAKE, PATCH, DROP])
@pytest.mark.parametrize(
    ("fault", "kind", "retry_after_s"),
    [
        (aws_error(429, "TooManyRequestsException", **{"Retry-After": "7"}), Throttled, 7),
        (aws_error(429, "TooManyRequestsException"), Throttled, None),
        (aws_error(400, "ThrottlingException", "Rate exceeded"), Throttled, None),
        (aws_error(429, "LimitExceededException", "300 usage plans are the most"), Refused, None),
        (aws_error(409, "ConflictException"), Conflict, None),
        (aws_error(400, "BadRequestException"), Refused, None),
        (aws_error(403, "AccessDeniedException"), NotAllowed, None),
        (aws_error(401, "UnauthorizedException"), NotAllowed, None),
        (Fault("", status=200, body=b"<html>sign in</html>", headers=HTML), UnreadableAnswer, None),
        (Fault("", status=200, body=b'{"id": "x', headers=JSON), UnreadableAnswer, None),
        (Fault("", status=200, body=b"[]", headers=JSON), UnreadableAnswer, None),
        (Fault("", status=302, headers={"Location": "http://169.254.169.254/"}), UnreadableAnswer, None),
    ],
)  # fmt: skip
def test_what_aws_says_has_its_class_and_the_next_run_puts_it_right(
    fake: FakeAws, at: str, fault: Fault, kind: type[GatewayFailure], retry_after_s: float | None
) -> None:
    adapter = fake.adapter()
    restore(adapter, RECORD)
    fake.plan_named("aforo-weather-gold-v1")["throttle"]["rateLimit"] = 99.0
    # One to patch, one to make, one to delete.
    record = document(plan("gold", rate_per_second=10), plan("bronze", rate_per_second=1))
    fake.faults.append(Fault(at, status=fault.status, body=fault.body, headers=fault.headers))

    with pytest.raises(kind) as failure:
        restore(adapter, record)

    assert type(failure.value) is kind
    assert failure.value.retry_after_s == retry_after_s
    assert "html" not in str(failure.value).replace("text/html", "")
    if fault.headers.get("x-amzn-RequestId"):
        assert (failure.value.status, failure.value.request_id) == (fault.status, "req-7")
    restore(adapter, record)
    assert missing(adapter, record) == []
    assert len(fake.plans) == 2


@pytest.mark.parametrize("at", [LIST, DROP])
def test_what_may_be_repeated_is_after_a_failure_of_aws_itself(fake: FakeAws, at: str) -> None:
    adapter = fake.adapter()
    restore(adapter, RECORD)
    fake.faults.append(Fault(at, status=500, times=2))

    restore(adapter, document())

    assert fake.plans == {}


@pytest.mark.parametrize("at", [LIST, DROP, MAKE])
def test_aws_that_always_fails_is_unavailable_after_a_few_tries(fake: FakeAws, at: str) -> None:
    adapter = fake.adapter()
    restore(adapter, RECORD)
    fake.exchanges.clear()
    fault = Fault(at, status=503, body=b"<html>secret page</html>", times=99)
    fake.faults.append(fault)

    with pytest.raises(Unavailable, match="The gateway answers 503") as failure:
        restore(adapter, document() if at == DROP else document(plan("new", rate_per_second=1)))

    assert "page" not in str(failure.value)
    assert 99 - fault.times == (1 if at == MAKE else 3)


@pytest.mark.parametrize("at", [MAKE, PATCH])
@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("status", [None, 500])
def test_a_write_whose_answer_is_lost_is_not_repeated_blindly(
    fake: FakeAws, at: str, effect: bool, status: int | None
) -> None:
    adapter = fake.adapter()
    restore(adapter, document(RECORD.plans[0]))
    fake.plan_named("aforo-weather-gold-v1")["throttle"]["burstLimit"] = 99
    fake.exchanges.clear()
    fake.faults.append(Fault(at, status=status, effect=effect))

    with pytest.raises(Unavailable if status else OutcomeUnknown):
        restore(adapter, RECORD)
    assert len([one for one in fake.requests() if f"{one.method} {one.path}".startswith(at.rstrip("$"))]) == 1
    restore(adapter, RECORD)

    assert missing(adapter, RECORD) == []
    assert len(fake.plans) == 2


@pytest.mark.parametrize("effect", [True, False])
def test_a_deletion_whose_answer_is_lost_is_repeated(fake: FakeAws, effect: bool) -> None:
    adapter = fake.adapter()
    restore(adapter, RECORD)
    fake.faults.append(Fault(f"{DROP}/[^/]+$", effect=effect))

    restore(adapter, document())

    assert fake.plans == {}


def test_a_double_that_a_late_list_brought_about_goes_again(fake: FakeAws) -> None:
    adapter = fake.adapter()
    restore(adapter, document(RECORD.plans[0]))
    # The list shows the first only later, so a second is made.
    hidden = fake.plans.copy()
    fake.plans.clear()
    restore(adapter, document(RECORD.plans[0]))
    fake.plans.update(hidden)

    assert restore(adapter, document(RECORD.plans[0])) == ["delete"]
    assert len(fake.plans) == 1


def test_silence_ends_at_the_deadline(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_client, "DEADLINE_S", 0.2)
    adapter = fake.adapter()
    fake.faults.append(Fault(MAKE, silent_s=0.5))

    with pytest.raises(OutcomeUnknown, match="took too long"):
        restore(adapter, document(RECORD.plans[0]))
    restore(adapter, document(RECORD.plans[0]))

    assert len(fake.plans) == 1


def test_nobody_at_the_address_is_unavailable(fake: FakeAws) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        fake.adapter(base_url="http://127.0.0.1:9").probe()


@pytest.mark.parametrize(
    "credentials",
    [
        {"access_key_id": "AKIANOBODY0000000001", "secret_access_key": "wrong-secret-wrong-secret"},
        {"access_key_id": "AKIAEXAMPLE000000001", "secret_access_key": "wrong-secret-wrong-secret"},
    ],
)
def test_wrong_credentials_are_not_allowed_and_not_repeated(fake: FakeAws, credentials: dict[str, str]) -> None:
    with pytest.raises(NotAllowed, match="403") as failure:
        fake.adapter(credentials=credentials).probe()

    assert failure.value.status == 403
    assert len(fake.exchanges) == 1
    assert credentials["secret_access_key"] not in str(failure.value)


def test_a_probe_says_what_it_may_not_read(fake: FakeAws) -> None:
    fake.faults.append(Fault("GET /apikeys", status=403, body=b'{"message": "not authorized"}'))

    with pytest.raises(NotAllowed, match="It may not read api keys: The gateway answers 403: not authorized"):
        fake.adapter().probe()


def test_a_list_that_goes_in_circles_is_unreadable(fake: FakeAws) -> None:
    body = b'{"item": [], "position": "again"}'
    fake.faults.append(Fault(LIST, status=200, body=body, headers=JSON, times=99))

    with pytest.raises(UnreadableAnswer, match="does not come to an end"):
        fake.adapter().fetch(RECORD, "a1/prod")


def test_a_key_that_goes_wrong_halfway_is_put_right_by_the_next_try(fake: FakeAws) -> None:
    adapter = fake.adapter()
    restore(adapter, RECORD)
    fake.faults.append(aws_error(429, "TooManyRequestsException"))
    fake.faults[0].at = "POST /usageplans/[^/]+/keys"
    with pytest.raises(Throttled):
        adapter.place_key(grant(), "a1/prod", "prod_1")

    adapter.place_key(grant(), "a1/prod", "prod_1")

    assert len(fake.keys) == 1
    assert fake.names_in(fake.plan_named("aforo-weather-gold-v1")["id"]) == ["gkey_1"]
