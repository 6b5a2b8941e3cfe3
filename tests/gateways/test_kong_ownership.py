"""What at a Kong is ours, and what of others is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument
from catalog.gateways.failures import Conflict
from catalog.gateways.interface import Change
from catalog.gateways.kong import KongAdapter
from tests.gateways.kong_bench import Bench, document, plan

EDITIONS = ("enterprise", "konnect", "oss")


def differences(changes: list[Change]) -> list[tuple[str, str, Any, Any]]:
    """Return what differs: where, which field, our value, Kong's."""
    return [(one.key, one.field, one.record, one.gateway) for change in changes for one in change.differences]


def missing(adapter: KongAdapter, record: DesiredDocument) -> list[Change]:
    return changes_between(adapter.fetch(record, "orders"), adapter.desired(record, "orders"))


def test_a_plan_that_is_no_more_goes_with_its_limits_and_the_others_stay(enterprise: Bench) -> None:
    enterprise.restore(document(plan(1, rate_per_minute=100), plan(2, rate_per_minute=200)))

    steps = enterprise.restore(document(plan(2, rate_per_minute=200)))

    assert [(one.action, one.resource.key) for one in steps] == [
        ("delete", "plan_1/rate-limiting"),
        ("delete", "plan_1"),
    ]
    assert [one["name"] for one in enterprise.kong.rows("consumer_groups")] == ["meterdesk-gold2-v2"]
    assert enterprise.plugin("rate-limiting")["config"]["minute"] == 200


def test_tags_of_others_stay_where_we_write(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    for row in (*enterprise.kong.rows("plugins"), *enterprise.kong.rows("consumer_groups")):
        row["tags"] = [*row["tags"], "team-a"]
    enterprise.kong.rows("consumer_groups")[0]["name"] = "renamed"
    enterprise.plugin("acl")["config"]["allow"] = ["friends"]

    enterprise.restore(record)

    assert enterprise.plugin("acl")["tags"] == ["meterdesk", "meterdesk-product:prod_1", "team-a"]
    assert enterprise.kong.rows("consumer_groups")[0]["tags"][-1] == "team-a"
    assert enterprise.kong.rows("consumer_groups")[0]["name"] == "meterdesk-gold1-v2"


def test_what_others_made_stays_whatever_becomes_of_ours(enterprise: Bench) -> None:
    kong = enterprise.kong
    cors = kong.make("plugins", name="cors", service={"id": enterprise.service})
    elsewhere = kong.make("services", name="stock", host="stock.test")
    foreign = kong.make("plugins", name="key-auth", service={"id": elsewhere["id"]})
    group = kong.make("consumer_groups", name="partners", tags=["meterdesk"])
    before = [dict(row) for row in (cors, foreign, group)]

    enterprise.restore(document(plan(1, rate_per_minute=100)))
    enterprise.restore(document(plan(2, rate_per_minute=100)))
    enterprise.restore(document(is_open=False))

    assert [cors, foreign, group] == before
    assert {cors["id"], foreign["id"]} <= set(kong.tables["plugins"])
    assert group["id"] in kong.tables["consumer_groups"]


def test_a_plugin_made_by_hand_in_the_way_is_named_and_left_alone(bench: Bench) -> None:
    service = {"id": bench.service}
    route_only = bench.kong.make("plugins", name="key-auth", service=service, route={"id": "r"})
    by_hand = bench.kong.make("plugins", name="key-auth", service=service)

    with pytest.raises(Conflict) as conflict:
        bench.restore(document(plan(rate_per_minute=100)))

    assert by_hand["id"] in str(conflict.value)
    assert "key-auth" in str(conflict.value)
    assert "meterdesk-product:prod_1" in str(conflict.value)
    assert route_only["id"] not in str(conflict.value)
    assert by_hand["config"]["hide_credentials"] is False


def test_a_plugin_that_was_handed_over_to_us_by_its_tags_becomes_ours(bench: Bench) -> None:
    tags = ["meterdesk", "meterdesk-product:prod_1", "team-a"]
    handed = bench.kong.make("plugins", name="key-auth", service={"id": bench.service}, tags=tags)

    bench.restore(document(plan(rate_per_minute=100)))

    adopted = bench.plugin("key-auth")
    assert adopted["id"] == handed["id"]
    assert adopted["config"]["hide_credentials"] is True
    assert adopted["tags"] == tags
    assert bench.drift(document(plan(rate_per_minute=100))) == []


def test_a_group_of_the_same_name_that_is_not_ours_is_named_and_left_alone(enterprise: Bench) -> None:
    group = enterprise.kong.make("consumer_groups", name="meterdesk-gold1-v2", tags=None)

    with pytest.raises(Conflict, match="meterdesk-gold1-v2"):
        enterprise.restore(document(plan(rate_per_minute=100)))

    assert group["tags"] is None


def test_of_two_groups_of_ours_for_a_plan_the_younger_goes(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    (first,) = enterprise.kong.rows("consumer_groups")
    enterprise.kong.make("consumer_groups", name="copy", tags=first["tags"])

    steps = enterprise.restore(record)

    assert [(one.action, one.resource.fields["name"]) for one in steps] == [("delete", "copy")]
    assert enterprise.kong.rows("consumer_groups") == [first]
    assert enterprise.drift(record) == []


def test_a_kind_of_plugin_that_we_never_make_is_not_ours_whatever_its_tags(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    tags = ["meterdesk", "meterdesk-product:prod_1"]
    cors = enterprise.kong.make("plugins", name="cors", service={"id": enterprise.service}, tags=tags)

    enterprise.restore(record)

    assert cors["id"] in enterprise.kong.tables["plugins"]
    assert enterprise.drift(record) == []


@pytest.mark.parametrize(
    "kept",
    [
        ["meterdesk", "meterdesk-plan:plan_1", "meterdesk-product:prod_1"],
        ["meterdesk", "meterdesk-plan:plan_1"],
    ],
)
def test_a_group_that_was_copied_back_under_another_id_is_found_by_its_tags(enterprise: Bench, kept: list[str]) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    (group,) = enterprise.kong.rows("consumer_groups")
    enterprise.kong.remove("consumer_groups", group["id"])
    copied = enterprise.kong.make("consumer_groups", name=group["name"], tags=kept)

    enterprise.restore(record)

    assert [row["id"] for row in enterprise.kong.rows("consumer_groups")] == [copied["id"]]
    assert enterprise.plugin("rate-limiting")["consumer_group"] == {"id": copied["id"]}
    assert enterprise.drift(record) == []


def test_what_lost_its_tags_is_written_again_and_not_made_twice(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    before = {table: set(rows) for table, rows in enterprise.kong.tables.items()}
    for row in (*enterprise.kong.rows("plugins"), *enterprise.kong.rows("consumer_groups")):
        row["tags"] = None

    enterprise.restore(record)

    assert {table: set(rows) for table, rows in enterprise.kong.tables.items()} == before
    assert enterprise.drift(record) == []


def test_a_group_that_lost_the_tag_of_its_plan_is_known_by_its_id(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    (group,) = enterprise.kong.rows("consumer_groups")
    group["tags"] = ["meterdesk", "meterdesk-product:prod_1"]

    steps = enterprise.restore(record)

    assert [(one.action, one.resource.key) for one in steps] == [("update", "plan_1")]
    assert "meterdesk-plan:plan_1" in enterprise.kong.tables["consumer_groups"][group["id"]]["tags"]
    assert enterprise.drift(record) == []


def test_two_products_share_a_kong_without_touching_each_other(enterprise: Bench) -> None:
    enterprise.kong.make("services", name="stock", host="stock.test")
    first = document(plan(1, rate_per_minute=100))
    second = document(plan(2, rate_per_minute=200), product="prod_2")

    enterprise.restore(first)
    enterprise.restore(second, ref="stock")

    assert enterprise.drift(first) == []
    assert enterprise.drift(second, ref="stock") == []


def test_two_installations_share_a_kong_by_their_marks(enterprise: Bench) -> None:
    enterprise.kong.make("services", name="stock", host="stock.test")
    ours = document(plan(1, rate_per_minute=100))
    theirs = replace(document(plan(1, rate_per_minute=200)), mark="meter")

    enterprise.restore(ours)
    enterprise.restore(theirs, ref="stock")
    enterprise.restore(document())

    assert enterprise.drift(theirs, ref="stock") == []
    assert [row["name"] for row in enterprise.kong.rows("consumer_groups")] == ["meter-gold1-v2"]


def test_the_same_product_at_two_services_of_a_kong_shares_its_plans(enterprise: Bench) -> None:
    enterprise.kong.make("services", name="orders-eu", host="eu.test")
    record = document(plan(1, rate_per_minute=100))

    enterprise.restore(record)
    enterprise.restore(record, ref="orders-eu")

    assert enterprise.drift(record) == []
    assert enterprise.drift(record, ref="orders-eu") == []
    assert len(enterprise.kong.rows("plugins", name="key-auth")) == 2
    assert len(enterprise.kong.rows("consumer_groups")) == 1
