"""AWS API Gateway: usage plans are made, patched, deleted and never doubled; what is not ours is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from catalog.gateways.failures import ObjectMissing, Throttled
from tests.gateways.aws_cases import REF, document, grant, judged, missing, plan, restore
from tests.gateways.fakes.aws import FakeAws

GOLD = plan("gold", rate_per_second=10, quota_per_month=1000)
SILVER = plan("silver", rate_per_second=5)


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with judged() as gateway:
        yield gateway


def test_a_plan_is_made_with_limits_and_access_in_one_call(fake: FakeAws) -> None:
    assert restore(fake.adapter(), document(GOLD)) == ["create"]

    (made,) = fake.plans.values()
    assert made["throttle"] == {"rateLimit": 10.0, "burstLimit": 10}
    assert made["apiStages"] == [{"apiId": "a1", "stage": "prod"}]
    assert made["tags"] == {"aforo:product": "prod_1", "aforo:plan": "plan_gold", "aforo:stage": "a1/prod"}
    assert len(fake.requests("POST")) == 1


def test_a_second_restore_calls_nothing_that_writes(fake: FakeAws) -> None:
    record = document(GOLD, SILVER, plan("free"))
    restore(fake.adapter(), record)
    fake.exchanges.clear()

    assert restore(fake.adapter(), record) == []
    assert fake.requests("POST", "PATCH", "PUT", "DELETE") == []


def test_steps_that_are_taken_twice_change_nothing_more(fake: FakeAws) -> None:
    adapter, record = fake.adapter(), document(GOLD)
    made = missing(adapter, record)
    for change in [*made, *made]:
        adapter.apply(change, record, REF)
    fake.plan_named("aforo-weather-gold-v1")["quota"]["limit"] = 5
    mended = missing(adapter, record)
    for change in [*mended, *mended]:
        adapter.apply(change, record, REF)
    gone = missing(adapter, document())
    for change in [*gone, *gone]:
        adapter.apply(change, document(), REF)

    assert fake.plans == {}
    assert [sent.method for sent in fake.requests("POST", "PATCH", "DELETE")] == ["POST", "PATCH", "PATCH", "DELETE"]


def test_all_pages_of_the_list_are_read(fake: FakeAws) -> None:
    plans = [plan(f"p{number}", rate_per_second=number + 1) for number in range(7)]
    restore(fake.adapter(), document(*plans))
    fake.exchanges.clear()

    assert missing(fake.adapter(), document(*plans)) == []
    assert [dict(sent.query).get("limit") for sent in fake.requests("GET")[1:]] == ["500"] * 4


@pytest.mark.parametrize(
    ("change", "field", "record", "gateway"),
    [
        ({"throttle": {"rateLimit": 99.5, "burstLimit": 10}}, "throttle.rateLimit", "10", "99.5"),
        ({"quota": None}, "quota.limit", 1000, None),
        ({"name": "by hand"}, "name", "aforo-weather-gold-v1", "by hand"),
        (
            {"apiStages": [{"apiId": "a1", "stage": "prod"}, {"apiId": "a2", "stage": "prod"}]},
            "stages", ["a1:prod"], ["a1:prod", "a2:prod"],
        ),
        (
            {"apiStages": [{"apiId": "a1", "stage": "prod", "throttle": {"/GET": {"rateLimit": 9, "burstLimit": 9}}}]},
            "methods", None, {"a1:prod": {"/GET": {"rateLimit": "9", "burstLimit": 9}}},
        ),
    ],
)  # fmt: skip
def test_what_somebody_changed_is_shown_side_by_side_and_mended_with_one_call(
    fake: FakeAws, change: dict[str, Any], field: str, record: Any, gateway: Any
) -> None:
    adapter = fake.adapter()
    restore(adapter, document(GOLD))
    made = fake.plan_named("aforo-weather-gold-v1")
    made.update(change)
    for name in [name for name, value in made.items() if value is None]:
        del made[name]

    (step,) = missing(adapter, document(GOLD))

    shown = {one.field: (one.record, one.gateway) for one in step.differences}
    quota = {"quota": ({"limit": 1000, "offset": 0, "period": "MONTH"}, None)}
    assert shown == ({field: (record, gateway)} if change != {"quota": None} else quota)
    adapter.apply(step, document(GOLD), REF)
    assert missing(adapter, document(GOLD)) == []
    assert len(fake.requests("PATCH")) == 1


def test_a_plan_that_is_not_wanted_any_more_goes_after_its_keys_and_stages(fake: FakeAws) -> None:
    adapter = fake.adapter()
    restore(adapter, document(GOLD, SILVER))
    adapter.place_key(grant(), REF, "prod_1")
    fake.exchanges.clear()

    assert restore(adapter, document(SILVER)) == ["delete"]

    writes = fake.requests("POST", "PATCH", "DELETE")
    assert [(sent.method, sent.path.count("/")) for sent in writes] == [("DELETE", 4), ("PATCH", 2), ("DELETE", 2)]
    assert [one["name"] for one in fake.plans.values()] == ["aforo-weather-silver-v1"]
    assert [key["name"] for key in fake.keys.values()] == ["gkey_1"]


def test_a_product_that_lets_nobody_in_has_no_plans(fake: FakeAws) -> None:
    adapter = fake.adapter()
    restore(adapter, document(GOLD, SILVER))

    assert restore(adapter, document(is_open=False)) == ["delete", "delete"]
    assert fake.plans == {}


def test_plans_without_our_tags_are_never_touched(fake: FakeAws) -> None:
    adapter = fake.adapter()
    others: list[dict[str, Any]] = [
        {"name": "aforo-weather-gold-v1"},
        {"name": "other mark", "tags": {"meterdesk:product": "prod_1", "meterdesk:plan": "x", "meterdesk:stage": REF}},
        {"name": "other product", "tags": {"aforo:product": "prod_2", "aforo:plan": "x", "aforo:stage": REF}},
        {"name": "other stage", "tags": {"aforo:product": "prod_1", "aforo:plan": "x", "aforo:stage": "a2/prod"}},
        {"name": "no plan", "tags": {"aforo:product": "prod_1", "aforo:stage": REF}},
    ]
    for number, other in enumerate(others):
        fake.plans[f"hand{number}"], fake.members[f"hand{number}"] = {"id": f"hand{number}", **other}, []
    before = {name: dict(found) for name, found in fake.plans.items()}

    restore(adapter, document(GOLD))
    restore(adapter, document())

    assert fake.plans == before


def test_two_stages_of_one_product_have_plans_of_their_own(fake: FakeAws) -> None:
    adapter = fake.adapter()
    restore(adapter, document(GOLD), "a1/prod")
    restore(adapter, document(GOLD), "a2/prod")
    restore(adapter, document(), "a1/prod")

    (left,) = fake.plans.values()
    assert left["apiStages"] == [{"apiId": "a2", "stage": "prod"}]


def test_of_a_double_one_stays_and_takes_the_keys_of_the_other(fake: FakeAws) -> None:
    adapter = fake.adapter()
    restore(adapter, document(GOLD))
    placed = adapter.place_key(grant(), REF, "prod_1")
    (first,) = fake.plans.values()
    fake.plans["0"], fake.members["0"] = {**first, "id": "0"}, fake.members[first["id"]]
    fake.members[first["id"]] = [placed.handle["key_id"]]
    fake.members["0"] = []

    (step,) = missing(adapter, document(GOLD))
    assert (step.action, step.resource.label) == ("delete", "Gold (double)")
    adapter.apply(step, document(GOLD), REF)

    assert missing(adapter, document(GOLD)) == []
    assert fake.members == {"0": [placed.handle["key_id"]]}


@pytest.mark.parametrize(("ref", "stage"), [("zz/prod", "prod of a REST API zz"), ("a1/dev", "dev of a REST API a1")])
def test_a_stage_that_is_not_there_is_missing_by_name(fake: FakeAws, ref: str, stage: str) -> None:
    with pytest.raises(ObjectMissing, match=f"There is no stage {stage} in eu-west-1"):
        fake.adapter().fetch(document(GOLD), ref)


def test_patches_keep_to_the_account_s_budget_and_making_does_not_use_it(fake: FakeAws) -> None:
    asked: list[tuple[str, str, float]] = []

    def pace(scope: str, bucket: str, every_s: float) -> None:
        asked.append((scope, bucket, every_s))
        if len(asked) > 1:
            raise Throttled("too early", retry_after_s=20)

    adapter = fake.adapter(pace=pace)
    restore(adapter, document(GOLD, SILVER))
    assert asked == []
    for made in fake.plans.values():
        made["throttle"]["rateLimit"] = 99.0

    with pytest.raises(Throttled):
        restore(adapter, document(GOLD, SILVER))

    assert asked == [("aws eu-west-1 AKIAEXAMPLE000000001", "usage_plan_update", 20.0)] * 2
    assert len(fake.requests("PATCH")) == 1
    assert len(missing(adapter, document(GOLD, SILVER))) == 1


def test_a_probe_reads_what_jobs_need(fake: FakeAws) -> None:
    probe = fake.adapter().probe()

    assert probe.edition == "API Gateway, REST APIs in eu-west-1"
    assert [sent.path for sent in fake.requests()] == ["/account", "/usageplans", "/apikeys"]
