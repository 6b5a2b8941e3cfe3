"""What a connection to Kong may be set to, and what each edition can do."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.gateways import vendor_of
from catalog.gateways.failures import NotAllowed
from catalog.gateways.interface import Connection
from catalog.gateways.kong import KongAdapter
from catalog.gateways.kong.admin_api import address, authorization
from catalog.gateways.kong.limiting import plain
from catalog.limits import BY_NAME, LIMIT_KINDS, Limit
from tests.gateways.fakes.kong_editions import CONTROL_PLANE

SELF_MANAGED = {"edition": "enterprise"}
KONNECT = {"edition": "konnect", "region": "eu", "control_plane_id": CONTROL_PLANE, "redis_host": "redis.test"}
ADDRESS = "https://kong.example:8444"


def connection(settings: dict[str, str], base_url: str = "", **credentials: str) -> Connection:
    return Connection(id="g", vendor="KONG", base_url=base_url, settings=settings, credentials=credentials)


@pytest.mark.parametrize(
    ("chosen", "base_url", "field"),
    [
        (SELF_MANAGED, "", "base_url"),
        ({"edition": "oss"}, "", "base_url"),
        ({"edition": "oss", "workspace": "team-a"}, ADDRESS, "workspace"),
        ({**SELF_MANAGED, "workspace": "../admin"}, ADDRESS, "workspace"),
        ({**SELF_MANAGED, "workspace": ".."}, ADDRESS, "workspace"),
        ({**SELF_MANAGED, "policy": "redis"}, ADDRESS, "redis_host"),
        ({**SELF_MANAGED, "policy": "redis", "redis_host": "r r"}, ADDRESS, "redis_host"),
        ({**SELF_MANAGED, "redis_port": "70000"}, ADDRESS, "redis_port"),
        ({**SELF_MANAGED, "redis_port": "٣"}, ADDRESS, "redis_port"),
        ({**SELF_MANAGED, "key_headers": "a b"}, ADDRESS, "key_headers"),
        ({**SELF_MANAGED, "key_headers": ","}, ADDRESS, "key_headers"),
        ({name: value for name, value in KONNECT.items() if name != "region"}, "", "region"),
        ({**KONNECT, "control_plane_id": "../x"}, "", "control_plane_id"),
        ({**KONNECT, "workspace": "team-a"}, "", "workspace"),
        ({**KONNECT, "policy": "cluster"}, "", "policy"),
        ({name: value for name, value in KONNECT.items() if name != "redis_host"}, "", "redis_host"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(chosen: dict[str, str], base_url: str, field: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the field is what tells which
        KongAdapter.check_settings(chosen, base_url)

    assert refusal.value.args[0] == field
    assert refusal.value.args[1]


@pytest.mark.parametrize(
    ("chosen", "base_url"),
    [
        (SELF_MANAGED, ADDRESS),
        ({**SELF_MANAGED, "workspace": "team-a", "policy": "local"}, ADDRESS),
        ({**SELF_MANAGED, "policy": "redis", "redis_host": "redis.internal", "redis_port": "6380"}, ADDRESS),
        ({"edition": "oss", "key_headers": "x-api-key"}, ADDRESS),
        (KONNECT, ""),
        (KONNECT, "https://konnect-proxy.example"),
        ({**{name: value for name, value in KONNECT.items() if name != "redis_host"}, "policy": "local"}, ""),
    ],
)
def test_settings_that_fit_together_are_taken(chosen: dict[str, str], base_url: str) -> None:
    KongAdapter.check_settings(chosen, base_url)


@pytest.mark.parametrize("ref", ["orders", "orders-v1.2_a~b", "49fd316e-c457-481c-9fc7-8079153e4f3c"])
def test_a_service_is_named_by_its_name_or_id(ref: str) -> None:
    KongAdapter.check_ref(ref)


@pytest.mark.parametrize("ref", ["", "a/b", "a b", "..", ".", "a?b", "a#b", "a\n", "x" * 201])
def test_what_can_be_no_service_is_refused(ref: str) -> None:
    with pytest.raises(ValueError, match="Kong service"):
        KongAdapter.check_ref(ref)


def test_every_edition_has_its_address_and_its_header() -> None:
    assert address(connection(SELF_MANAGED, ADDRESS)) == ADDRESS
    assert address(connection({**SELF_MANAGED, "workspace": "team-a"}, ADDRESS)) == f"{ADDRESS}/team-a"
    below = f"/v2/control-planes/{CONTROL_PLANE}/core-entities"
    assert address(connection(KONNECT)) == f"https://eu.api.konghq.com{below}"
    assert address(connection(KONNECT, "https://proxy.example")) == f"https://proxy.example{below}"
    assert authorization(connection(SELF_MANAGED, ADDRESS, admin_token="t")) == {"Kong-Admin-Token": "t"}
    assert authorization(connection({"edition": "oss"}, ADDRESS)) == {}
    assert authorization(connection(KONNECT, access_token="t")) == {"Authorization": "Bearer t"}
    with pytest.raises(NotAllowed, match="access token"):
        authorization(connection(KONNECT))


@pytest.mark.parametrize("chosen", [SELF_MANAGED, KONNECT, {"edition": "oss"}])
def test_every_window_is_counted_exactly_but_weeks_in_open_source_and_bursts_nowhere(chosen: dict[str, str]) -> None:
    levels = {kind.name: KongAdapter.supports(Limit(10, kind), chosen).level for kind in LIMIT_KINDS}

    weekly = "unsupported" if chosen["edition"] == "oss" else "exact"
    assert levels == {**dict.fromkeys(BY_NAME, "exact"), "burst": "unsupported", "quota_per_week": weekly}


def test_nodes_that_count_for_themselves_only_come_near() -> None:
    support = KongAdapter.supports(Limit(10, BY_NAME["rate_per_minute"]), {**SELF_MANAGED, "policy": "local"})

    assert support.level == "approximate"
    assert "node" in support.why


def test_an_edition_that_is_not_chosen_yet_can_be_asked_too() -> None:
    assert vendor_of("KONG").supports(Limit(10, BY_NAME["rate_per_minute"]), {}).level == "exact"
    assert vendor_of("KONG").capabilities({}).takes_our_keys
    assert len(vendor_of("KONG").capabilities({"edition": "oss", "policy": "local"}).notes) == 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (100.0, 100),
        (1e12, 10**12),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        ({"b": None, "a": [2.0, None]}, {"a": [2, None]}),
        ("text", "text"),
        (True, True),
        (None, None),
    ],
)
def test_values_are_compared_without_floats_and_nulls(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_lists_that_are_sets_are_sorted_and_others_keep_their_order() -> None:
    assert plain({"allow": ["b", "a"], "limit": [3, 1]}) == {"allow": ["a", "b"], "limit": [3, 1]}
