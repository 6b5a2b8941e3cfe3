"""Versions of rate plans: copied with all their terms, counted without a gap or a twin, compared term by term."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from catalog.errors import DuplicateCode
from catalog.models import Charge, RatePlan
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.rate_plans import activate_rate_plan, archive_rate_plan, update_rate_plan
from catalog.queries.plan_diffs import Change, PlanDiff, plan_diff, version_before
from catalog.terms import OWN_OF_CHARGE, OWN_OF_PLAN, terms_of
from config.kernel.errors import NotFound
from tests.factories import NOW, make_charge, make_metric, make_plan, make_subscription

LATER = NOW + timedelta(days=1)
TIERS = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}


def next_of(plan: RatePlan, **fields: str) -> RatePlan:
    return clone_rate_plan(plan.id, now=LATER, **fields)


def against_before(plan: RatePlan) -> PlanDiff:
    before = version_before(plan)
    assert before is not None
    return plan_diff(plan, before)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["DRAFT", "ACTIVE", "ARCHIVED"])
def test_the_next_version_is_a_draft_with_every_term_of_the_one_before(status: str) -> None:
    metric = make_metric(dimensions=["model"])
    charges = [
        make_charge(metric, unit_amount="0.000000000001", match={"model": ["a", "b"]}, name="Fine"),
        make_charge(make_metric(), model="VOLUME", properties=TIERS),
    ]
    plan = make_plan(charges=charges, interval="year", amount=Decimal("49.9"), currency="JPY", active=False)
    RatePlan.objects.filter(pk=plan.pk).update(limits={"rate_per_minute": 100})
    if status != "DRAFT":
        activate_rate_plan(plan.id, now=NOW)
    if status == "ARCHIVED":
        archive_rate_plan(plan.id, now=NOW)
    plan.refresh_from_db()

    copy = RatePlan.objects.get(pk=next_of(plan).pk)

    assert (copy.product_id, copy.code, copy.version, copy.status) == (plan.product_id, plan.code, 2, "DRAFT")
    assert terms_of(copy, OWN_OF_PLAN) == terms_of(plan, OWN_OF_PLAN)
    assert terms_of(copy, OWN_OF_PLAN)["limits"] == {"rate_per_minute": 100}
    assert (copy.created_at, copy.updated_at) == (LATER, LATER)
    copied, original = (
        [(one.position, terms_of(one, OWN_OF_CHARGE)) for one in each.charges.order_by("position")]
        for each in (copy, plan)
    )
    assert copied == original
    assert len(copied) == 2
    assert Charge.objects.count() == 4
    assert against_before(copy).is_empty


@pytest.mark.django_db
def test_what_is_a_term_is_everything_but_what_a_version_has_of_its_own() -> None:
    assert {one.name for one in RatePlan._meta.concrete_fields} > OWN_OF_PLAN
    assert {one.name for one in Charge._meta.concrete_fields} > OWN_OF_CHARGE
    plan = make_plan(charges=[make_charge(make_metric())])
    assert {"name", "interval", "amount", "currency", "limits"} <= terms_of(plan, OWN_OF_PLAN).keys()
    charge = plan.charges.get()
    assert {"metric", "name", "model", "properties", "match"} <= terms_of(charge, OWN_OF_CHARGE).keys()


@pytest.mark.django_db
def test_versions_count_on_from_the_highest_whichever_is_copied() -> None:
    first = make_plan(code="pro", name="Pro")
    second, third = next_of(first), next_of(first, name="Pro 2026")
    other = make_plan()

    assert [(one.version, one.name) for one in (second, third)] == [(2, "Pro"), (3, "Pro 2026")]
    assert next_of(second, code="pro").version == 4
    assert next_of(other).version == 2
    assert version_before(first) is None
    assert version_before(third) == second


@pytest.mark.django_db
def test_with_another_code_the_copy_is_another_plan() -> None:
    plan = next_of(make_plan(code="pro"))

    copy = next_of(plan, code="pro-eu", name="Pro Europe")

    assert (copy.code, copy.version, copy.name, str(copy)) == ("pro-eu", 1, "Pro Europe", "Pro Europe")
    with pytest.raises(DuplicateCode, match="'pro-eu'"):
        next_of(plan, code="pro-eu")
    assert next_of(plan, code="pro-uk").version == 1


@pytest.mark.django_db
def test_subscriptions_stay_on_the_version_they_are_on() -> None:
    subscription = make_subscription()

    copy = next_of(subscription.plan)

    subscription.refresh_from_db()
    assert (subscription.plan.version, copy.subscriptions.count()) == (1, 0)


@pytest.mark.django_db
def test_an_unknown_plan_has_no_next_version() -> None:
    for unknown in ("nonsense", "plan_01h455vb4pex5vsknk084sn02q"):
        with pytest.raises(NotFound):
            clone_rate_plan(unknown, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_versions_made_at_once_have_a_number_each() -> None:
    first = make_plan(code="pro", charges=[make_charge(make_metric())])
    second = next_of(first)

    def clone(number: int) -> int:
        try:
            return clone_rate_plan((first, second)[number % 2].id, now=LATER).version
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(clone, range(16)))

    assert sorted(versions) == list(range(3, 19))
    assert sorted(RatePlan.objects.values_list("version", flat=True)) == list(range(1, 19))


@pytest.mark.django_db
def test_a_diff_names_each_term_that_differs_and_no_other() -> None:
    metric = make_metric()
    copy = next_of(make_plan(charges=[make_charge(metric)], amount=Decimal(49), name="Pro"))
    update_rate_plan(copy.id, amount=Decimal("59.00"), interval="year", now=LATER)
    copy.refresh_from_db()

    found = against_before(copy)

    assert [(one.field, one.before, one.after) for one in found.terms] == [
        ("interval", "month", "year"),
        ("amount", Decimal(49), Decimal(59)),
    ]
    assert (found.charges, found.unchanged, found.is_empty) == ([], 1, False)


@pytest.mark.django_db
def test_a_number_that_is_only_spelled_otherwise_is_no_change() -> None:
    metric = make_metric(dimensions=["model"])
    copy = next_of(make_plan(charges=[make_charge(metric, unit_amount="0.10", match={"model": ["a", "b"]})]))

    for unit_amount, match, changes in (
        ("0.1", ["b", "a"], []),
        ("0.11", ["b", "a"], ["properties"]),
        ("0.1", ["a"], ["match"]),
    ):
        update_rate_plan(
            copy.id, charges=[make_charge(metric, unit_amount=unit_amount, match={"model": match})], now=LATER
        )
        found = against_before(copy)
        assert [term.field for change in found.charges for term in change.terms] == changes


@pytest.mark.django_db
def test_a_diff_tells_charges_that_came_went_and_cost_otherwise() -> None:
    tokens, calls, seats = make_metric(dimensions=["model"]), make_metric(), make_metric()
    plan = make_plan(
        charges=[
            make_charge(tokens, match={"model": ["a"]}),
            make_charge(tokens, match={"model": ["b"]}, name="B"),
            make_charge(tokens),
            make_charge(calls),
        ]
    )
    copy = next_of(plan)
    update_rate_plan(
        copy.id,
        charges=[
            make_charge(seats),
            make_charge(tokens, model="VOLUME", properties=TIERS),
            make_charge(tokens, match={"model": ["b", "c"]}, name="B"),
            make_charge(tokens, match={"model": ["a"]}),
        ],
        now=LATER,
    )

    found = against_before(copy)

    told = [(one.change, one.charge.metric, [term.field for term in one.terms]) for one in found.charges]
    assert told == [
        (Change.ADDED, seats, []),
        (Change.CHANGED, tokens, ["model", "properties"]),
        (Change.CHANGED, tokens, ["match"]),
        (Change.REMOVED, calls, []),
    ]
    assert found.unchanged == 1
    renamed = found.charges[2]
    assert renamed.before is not None
    assert (renamed.before.match, renamed.charge.match) == ({"model": ["b"]}, {"model": ["b", "c"]})
