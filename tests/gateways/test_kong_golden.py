"""
Our requests beside those that go-kong 0.15.0, Kong's own client, sent for the same intent.

What we do otherwise, and why:

- go-kong made and changed a service. We never do: a mapping is linked to a service that exists.
- go-kong was told to find the consumer by its username. We find it by its id, because Konnect knows no other way and
  because an id stays when somebody renames the consumer.
- Our objects carry tags besides the mark: by them they are found for a product, a plan or a subscription.
- go-kong's recorder did not mind that ``policy: redis`` came without a host. Kong does, so ours names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from catalog.gateways.interface import KeyGrant
from catalog.gateways.kong import KongAdapter
from catalog.gateways.kong.naming import Names
from catalog.limits import BY_NAME, Limit
from tests.gateways.contract import Sent
from tests.gateways.golden import comparable, normal, recorded
from tests.gateways.kong_bench import Bench, kong_bench

RECORDINGS = recorded("kong-go-kong-0.15.0.json")
SERVICE, CONSUMER, KEY, ENTRY, PLUGIN = (f"0c9e9e6e-1f0a-5d5e-9f0a-00000000000{number}" for number in range(1, 6))
SECRET = "sk_live_" + "a" * 32
NAMES = Names("aforo")
LIMITS = (Limit(100, BY_NAME["rate_per_minute"]), Limit(10_000, BY_NAME["quota_per_month"]))
GRANT = KeyGrant(subscription="s1", key="k1", plan="plan_1", customer="c1", limits=LIMITS, secret=SECRET)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with kong_bench("oss") as made:
        made.kong.make("services", id=SERVICE, name="aforo-p1", host="up.example")
        yield made


def ours(bench: Bench, method: str, path_part: str) -> dict[str, Any]:
    """Return the only request of ours with this in its path, with our ids, names and tags as in the recordings."""
    (sent,) = [one for one in bench.kong.requests(method) if path_part in one.path]
    return as_recorded(sent)


def as_recorded(sent: Sent) -> dict[str, Any]:
    """Return a request of ours in the recordings' terms."""
    instead = {
        NAMES.id_of("consumer", "s1"): CONSUMER,
        NAMES.id_of("key", "k1"): KEY,
        NAMES.id_of("access", "s1", "p1"): ENTRY,
        NAMES.id_of("limit", SERVICE, NAMES.id_of("consumer", "s1")): PLUGIN,
        "aforo-s1": "sub-1",
    }
    text = json.dumps(comparable(sent))
    for name, other in instead.items():
        text = text.replace(name, other)
    request: dict[str, Any] = json.loads(text)
    if request["body"] and "tags" in request["body"]:
        assert request["body"]["tags"][0] == "aforo"
        request["body"]["tags"] = ["aforo"]
    if request["body"] and "config" in request["body"]:
        assert request["body"]["config"].pop("redis") == {"host": "redis.test", "port": 6379}
    return request


def theirs(method: str, path: str) -> dict[str, Any]:
    """Return the recording whose path begins so, with the consumer's id where it has its username."""
    recording = min(
        (one for one in RECORDINGS if one["method"] == method and one["path"].startswith(path)),
        key=lambda one: len(one["path"]),
    )
    request = normal(recording)
    return {**request, "path": request["path"].replace("/sub-1", f"/{CONSUMER}")}


def placed(bench: Bench) -> None:
    marked(bench).place_key(GRANT, "aforo-p1", "p1")


def marked(bench: Bench) -> KongAdapter:
    """Return an adapter that marks and counts as the recordings do."""
    connection = bench.connection(settings={"policy": "redis", "redis_host": "redis.test"})
    return KongAdapter(replace(connection, mark="aforo"))


@pytest.mark.parametrize(
    ("part", "recording"),
    [
        ("/key-auth/", "/consumers/sub-1/key-auth"),
        ("/acls/", "/consumers/sub-1/acls"),
        ("/plugins/", "/plugins/"),
    ],
)
def test_a_key_with_its_limits_is_put_as_kongs_client_puts_it(bench: Bench, part: str, recording: str) -> None:
    placed(bench)

    assert ours(bench, "PUT", part) == theirs("PUT", recording)


def test_a_consumer_is_put_as_kongs_client_puts_it(bench: Bench) -> None:
    placed(bench)

    (sent,) = [one for one in bench.kong.requests("PUT") if one.path.count("/") == 2 and "/consumers/" in one.path]
    assert as_recorded(sent) == theirs("PUT", "/consumers/0c9e")


def test_a_service_is_read_as_kongs_client_reads_it(bench: Bench) -> None:
    placed(bench)

    assert ours(bench, "GET", "/services/") == theirs("GET", "/services/aforo-p1")


@pytest.mark.parametrize(("path", "tags"), [("/plugins", ["aforo"]), ("/services", NAMES.tags(product="p1"))])
def test_what_is_ours_is_listed_as_kongs_client_lists_it(bench: Bench, path: str, tags: list[str]) -> None:
    list(marked(bench).api.listed(path, tags=tags))

    assert ours(bench, "GET", path) == theirs("GET", path)


def test_a_key_a_plugin_and_a_consumer_are_deleted_as_kongs_client_deletes_them(bench: Bench) -> None:
    placed(bench)
    without_limits = replace(GRANT, limits=(), secret=None)
    handle = marked(bench).place_key(without_limits, "aforo-p1", "p1").handle
    marked(bench).remove_key(GRANT, handle, "aforo-p1", last=True)

    deleted = [as_recorded(one) for one in bench.kong.requests("DELETE")]
    assert deleted == [
        theirs("DELETE", "/plugins/"),
        theirs("DELETE", "/consumers/sub-1/key-auth"),
        theirs("DELETE", "/consumers/sub-1"),
    ]
