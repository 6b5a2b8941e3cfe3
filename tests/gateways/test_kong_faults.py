"""What goes wrong with Kong: each failure has its class and a sentence, and the next run ends as it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalog.gateways import client
from catalog.gateways.failures import (
    Conflict,
    GatewayFailure,
    NotAllowed,
    ObjectMissing,
    Refused,
    Throttled,
    Unavailable,
    UnreadableAnswer,
    Unsupported,
)
from catalog.gateways.kong import KongAdapter
from tests.gateways.fakes.kong import ADMIN_TOKEN
from tests.gateways.fakes.kong_editions import ACCESS_TOKEN
from tests.gateways.fakes.server import Fault
from tests.gateways.kong_bench import Bench, document, kong_bench, plan

RECORD = document(plan(rate_per_minute=100))
HTML = b"<html><body>Sign in</body></html>"
PAGE = {"Content-Type": "text/html"}


@pytest.fixture(params=["enterprise", "konnect", "oss"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with kong_bench(request.param) as made:
        yield made


@pytest.fixture
def enterprise() -> Iterator[Bench]:
    with kong_bench("enterprise") as made:
        yield made


@pytest.mark.parametrize(
    ("fault", "failure", "sentence"),
    [
        (Fault("PUT", status=400, body=b'{"message": "schema violation"}'), Refused, "400: schema violation"),
        (Fault("PUT", status=401, body=b'{"message": "Unauthorized"}'), NotAllowed, "401: Unauthorized"),
        (Fault("PUT", status=403, body=b'{"message": "license expired"}'), NotAllowed, "403: license expired"),
        (Fault("PUT", status=404, body=b'{"message": "Not found"}'), ObjectMissing, "404: Not found"),
        (Fault("PUT", status=409, body=b'{"message": "unique violation"}'), Conflict, "not ours"),
        (Fault("PUT", status=429, headers={"Retry-After": "7"}), Throttled, "429"),
        (Fault("PUT", status=500, body=b'{"message": "boom"}', times=9), Unavailable, "500: boom"),
        (Fault("PUT", status=502, body=HTML, headers=PAGE, times=9), Unavailable, "502"),
        (Fault("PUT", status=200, body=HTML, headers=PAGE), UnreadableAnswer, "text/html"),
        (Fault("PUT", status=200, body=b'{"id": "4c0'), UnreadableAnswer, "JSON"),
        (Fault("PUT", status=200, body=b"[]"), UnreadableAnswer, "not with an entity"),
        (Fault("GET", status=200, body=b'{"items": []}'), UnreadableAnswer, "as Kong's are"),
        (Fault("GET", status=404, body=HTML, headers=PAGE), UnreadableAnswer, "text/html"),
        (Fault("GET", status=404, body=b'{"message":"no Route matched with those values"}'), UnreadableAnswer, "proxy"),
        (Fault("GET", status=302, headers={"Location": "https://sso.test/"}), UnreadableAnswer, "302"),
        (Fault("PUT", times=9), Unavailable, "cannot be reached"),
        (Fault("PUT", effect=True, times=9), Unavailable, "cannot be reached"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_failure_is_sorted_and_the_next_run_ends_well(
    bench: Bench, fault: Fault, failure: type[GatewayFailure], sentence: str
) -> None:
    bench.kong.faults = [replace(fault)]

    with pytest.raises(failure) as raised:
        bench.restore(RECORD)
    bench.kong.faults = []
    bench.restore(RECORD)

    assert type(raised.value) is failure
    assert sentence in str(raised.value)
    assert bench.drift(RECORD) == []
    assert [len(bench.kong.rows("plugins", name=name)) for name in ("key-auth", "acl")] == [1, 1]
    assert len(bench.kong.rows("consumer_groups")) == (0 if bench.edition == "oss" else 1)


def test_being_told_to_wait_says_how_long(bench: Bench) -> None:
    bench.kong.faults = [Fault("PUT", status=429, headers={"Retry-After": "7"})]

    with pytest.raises(Throttled) as raised:
        bench.restore(RECORD)

    assert raised.value.retry_after_s == 7


def test_an_error_that_passes_is_tried_again_in_the_same_run(bench: Bench) -> None:
    bench.kong.faults = [Fault("PUT", status=500), Fault("GET", status=500), Fault("GET"), Fault("PUT", effect=True)]

    bench.restore(RECORD)

    assert bench.drift(RECORD) == []
    assert len(bench.kong.rows("plugins", name="key-auth")) == 1


def test_a_gateway_that_is_silent_is_given_up(enterprise: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE_S", 0.05)
    enterprise.kong.faults = [Fault("GET", silent_s=0.2, times=9)]

    with pytest.raises(Unavailable, match="took too long"):
        enterprise.restore(RECORD)


@pytest.mark.parametrize("broken_step", ["PUT .*/consumer_groups/", "PUT .*/plugins/"])
def test_a_restore_that_broke_off_anywhere_goes_on_where_it_was(enterprise: Bench, broken_step: str) -> None:
    record = document(plan(1, rate_per_minute=100), plan(2, rate_per_minute=200))
    enterprise.kong.faults = [Fault(broken_step, effect=True, times=3)]
    with pytest.raises(Unavailable):
        enterprise.restore(record)

    enterprise.restore(record)

    assert enterprise.drift(record) == []
    assert len(enterprise.kong.rows("consumer_groups")) == 2
    assert len(enterprise.kong.rows("plugins")) == 4


def test_credentials_that_are_not_accepted_are_named_and_never_repeated() -> None:
    for edition, name, right in (("enterprise", "admin_token", ADMIN_TOKEN), ("konnect", "access_token", ACCESS_TOKEN)):
        with kong_bench(edition) as bench:
            wrong = KongAdapter(replace(bench.connection(), credentials={name: "wrong-token-1"}))
            with pytest.raises(NotAllowed) as raised:
                wrong.fetch(RECORD, "orders")
            with pytest.raises(NotAllowed):
                wrong.probe()

            assert "wrong-token-1" not in str(raised.value)
            known = KongAdapter(replace(bench.connection(), credentials={name: right}))
            assert known.probe().edition.lower() == edition


def test_a_token_that_kong_repeats_is_cut_out_of_the_message(enterprise: Bench) -> None:
    body = f'{{"message": "token {ADMIN_TOKEN} is not known"}}'.encode()
    enterprise.kong.faults = [Fault("GET", status=401, body=body)]

    with pytest.raises(NotAllowed) as raised:
        enterprise.drift(RECORD)

    assert str(raised.value) == "The gateway answers 401: token … is not known"


def test_konnect_without_a_token_is_not_even_asked() -> None:
    with kong_bench("konnect") as bench:
        adapter = KongAdapter(bench.connection(access_token=""))

        with pytest.raises(NotAllowed, match="access token"):
            adapter.probe()

        assert bench.kong.exchanges == []


def test_a_kong_without_a_database_is_told_by_the_probe_and_by_the_first_write(enterprise: Bench) -> None:
    enterprise.kong.database = "off"

    with pytest.raises(Unsupported, match="without a database"):
        enterprise.adapter().probe()
    with pytest.raises(Refused, match="not using a database"):
        enterprise.restore(RECORD)

    enterprise.kong.database = "postgres"
    assert enterprise.adapter().probe().version == "3.15.0.0"


def test_a_list_that_never_ends_is_given_up(enterprise: Bench) -> None:
    page = b'{"data": [], "next": "/plugins?offset=a", "offset": "a"}'
    enterprise.kong.faults = [Fault("GET /plugins", status=200, body=page, times=9)]

    with pytest.raises(UnreadableAnswer, match="seen already"):
        enterprise.drift(RECORD)

    assert enterprise.kong.faults[0].times == 7


def test_a_workspace_stands_before_every_path_and_a_missing_one_is_named(enterprise: Bench) -> None:
    enterprise.kong.prefix = "/team-a"  # type: ignore[misc]
    enterprise.restore(RECORD, workspace="team-a")

    assert enterprise.drift(RECORD, workspace="team-a") == []
    enterprise.kong.faults = [Fault("GET", status=404, body=b'{"message": "Workspace \'team-b\' not found"}', times=9)]
    with pytest.raises(ObjectMissing, match="workspace"):
        enterprise.drift(RECORD, workspace="team-b")


def test_a_removal_from_a_missing_workspace_does_not_pass_for_done(enterprise: Bench) -> None:
    enterprise.kong.faults = [
        Fault("DELETE", status=404, body=b'{"message": "Workspace \'team-b\' not found"}', times=9)
    ]
    from_grant = plan(rate_per_minute=100)
    enterprise.restore(document(from_grant))

    with pytest.raises(ObjectMissing, match="workspace"):
        enterprise.restore(document())


def test_a_probe_tells_version_and_edition(bench: Bench) -> None:
    probe = bench.adapter().probe()

    assert (probe.version, probe.edition) == {
        "enterprise": ("3.15.0.0", "enterprise"),
        "konnect": ("", "Konnect"),
        "oss": ("3.9.1", "community"),
    }[bench.edition]
    assert probe.warnings == ()


def test_a_probe_warns_of_what_does_not_fit_the_settings() -> None:
    with kong_bench("oss") as bench:
        bench.kong.role = "control_plane"
        bench.kong._plugins = lambda: ("acl",)  # type: ignore[method-assign]

        wrong = bench.adapter(edition="enterprise").probe().warnings
        right = bench.adapter(policy="local").probe().warnings

    assert ["hybrid" in wrong[0], "consumer groups" in wrong[1], "key-auth, rate-limiting" in wrong[2]] == [True] * 3
    assert len(right) == 1


def test_a_token_for_one_workspace_is_enough(enterprise: Bench) -> None:
    enterprise.kong.prefix = "/team-a"  # type: ignore[misc]
    enterprise.kong.faults = [Fault("GET /$", status=403, body=b'{"message": "you do not have permissions"}', times=2)]

    assert enterprise.adapter(workspace="team-a").probe().version == ""
    with pytest.raises(NotAllowed, match="permissions"):
        enterprise.adapter().probe()
