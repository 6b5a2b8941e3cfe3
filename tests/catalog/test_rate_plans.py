"""Rate plans: priced as a draft, frozen once active, by the operations and by the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from catalog.errors import ChargesCouldTie, DuplicateCode, InvalidCharge, RatePlanNotActive, RatePlanNotDraft
from catalog.models import Charge, PlanStatus, RatePlan
from catalog.operations.rate_plans import (
    ChargeSpec,
    activate_rate_plan,
    archive_rate_plan,
    update_rate_plan,
)
from config.kernel.errors import NotFound
from config.kernel.ids import TypeID
from tests.factories import NOW, make_charge, make_metric, make_plan

pytestmark = pytest.mark.django_db

Match = Mapping[str, Sequence[str]]


def plan_in(status: str) -> RatePlan:
    """Return a plan with one charge."""
    plan = make_plan(charges=[make_charge(make_metric())], active=status != PlanStatus.DRAFT)
    return archive_rate_plan(plan.id, now=NOW) if status == PlanStatus.ARCHIVED else plan


def test_a_draft_is_priced_activated_and_archived() -> None:
    plan = plan_in("DRAFT")

    plan = update_rate_plan(plan.id, name="New", amount=Decimal(7), charges=[], now=NOW)
    assert (plan.status, plan.name, plan.amount, plan.charges.count()) == ("DRAFT", "New", 7, 0)
    assert activate_rate_plan(plan.id, now=NOW).status == "ACTIVE"
    assert archive_rate_plan(plan.id, now=NOW).status == "ARCHIVED"


@pytest.mark.parametrize("status", ["ACTIVE", "ARCHIVED"])
def test_only_a_draft_is_changed_or_activated(status: str) -> None:
    plan = plan_in(status)

    attempts: list[Callable[[], RatePlan]] = [
        lambda: update_rate_plan(plan.id, amount=Decimal(1), now=NOW),
        lambda: update_rate_plan(plan.id, charges=[], now=NOW),
        lambda: activate_rate_plan(plan.id, now=NOW),
    ]
    for refused in attempts:
        with pytest.raises(RatePlanNotDraft) as refusal:
            refused()
        assert refusal.value.details == {"status": status}
    assert plan.charges.count() == 1


@pytest.mark.parametrize("status", ["DRAFT", "ARCHIVED"])
def test_only_an_active_plan_is_archived(status: str) -> None:
    plan = plan_in(status)

    with pytest.raises(RatePlanNotActive):
        archive_rate_plan(plan.id, now=NOW)


CHANGES = [
    "amount = amount + 0.000000000001",
    "currency = 'EUR'",
    "interval = 'year'",
    "code = 'another'",
    "version = 2",
    "status = 'DRAFT'",
    "status = 'DRAFT', amount = 0",
    "pay_in_advance = true",
    "trial_days = 1",
    "minimum_commitment = 0",
    "maximum_spend = 1000",
    "limits = '{\"quota_per_day\": 1}'",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_changes_the_prices_of_a_draft_and_of_no_other_plan(change: str) -> None:
    draft, active, archived = (plan_in(status) for status in PlanStatus.values)

    with connection.cursor() as cursor:
        statement = f"UPDATE catalog_rateplan SET {change} WHERE id = %s"
        for plan in (active, archived):
            with pytest.raises(IntegrityError, match="frozen once it is active"), transaction.atomic():
                cursor.execute(statement, [plan.id.uuid])
        cursor.execute(statement, [draft.id.uuid])
        assert cursor.rowcount == 1


def test_the_name_of_an_active_plan_is_no_price() -> None:
    assert RatePlan.objects.filter(pk=plan_in("ACTIVE").pk).update(name="Another") == 1


COPY_CHARGE = """
    INSERT INTO catalog_charge (
        id, plan_id, position, metric_id, name, model, properties, match, minimum_amount, prorated
    )
    SELECT gen_random_uuid(), plan_id, 2, metric_id, '', model, properties, match, minimum_amount, prorated
    FROM catalog_charge WHERE plan_id = %s
"""


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE catalog_charge SET properties = \'{"unit_amount": "0"}\' WHERE plan_id = %s',
        'UPDATE catalog_charge SET match = \'{"model": ["x"]}\' WHERE plan_id = %s',
        "UPDATE catalog_charge SET minimum_amount = 1 WHERE plan_id = %s",
        "UPDATE catalog_charge SET prorated = true WHERE plan_id = %s",
        "DELETE FROM catalog_charge WHERE plan_id = %s",
        COPY_CHARGE,
    ],
)
def test_the_database_changes_the_charges_of_a_draft_and_of_no_other_plan(statement: str) -> None:
    draft, active, archived = (plan_in(status) for status in PlanStatus.values)

    with connection.cursor() as cursor:
        for plan in (active, archived):
            with pytest.raises(IntegrityError, match="frozen once it is active"), transaction.atomic():
                cursor.execute(statement, [plan.id.uuid])
        cursor.execute(statement, [draft.id.uuid])
        assert cursor.rowcount == 1


def test_no_charge_joins_a_plan_that_is_active() -> None:
    charge, active = Charge.objects.get(plan=plan_in("DRAFT")), plan_in("ACTIVE")

    with pytest.raises(IntegrityError, match="frozen once it is active"), transaction.atomic():
        Charge.objects.filter(pk=charge.pk).update(plan=active, position=2)


def test_no_charge_leaves_a_plan_that_is_active() -> None:
    charge, draft = Charge.objects.get(plan=plan_in("ACTIVE")), plan_in("DRAFT")

    with pytest.raises(IntegrityError, match="frozen once it is active"), transaction.atomic():
        Charge.objects.filter(pk=charge.pk).update(plan=draft, position=2)


def test_no_plan_is_deleted_from_above_its_charges() -> None:
    plan = plan_in("ACTIVE")

    RatePlan.objects.filter(pk=make_plan().pk).delete()
    connection.check_constraints()

    with transaction.atomic():
        RatePlan.objects.filter(pk=plan.pk).delete()
        with pytest.raises(IntegrityError, match="catalog_charge"):
            # What a commit asks.
            connection.check_constraints()
        transaction.set_rollback(True)
    assert RatePlan.objects.filter(pk=plan.pk).exists()


def test_a_code_and_version_name_one_plan() -> None:
    make_plan(code="pro")

    with pytest.raises(DuplicateCode, match="The code 'pro' is already in use"):
        make_plan(code="pro")
    other = make_plan(code="basic", active=False)
    with pytest.raises(DuplicateCode):
        update_rate_plan(other.id, code="pro", now=NOW)
    with pytest.raises(IntegrityError, match="rate_plan_one_per_code_and_version"), transaction.atomic():
        RatePlan.objects.filter(pk=other.pk).update(code="pro")
    assert RatePlan.objects.filter(pk=other.pk).update(code="pro", version=2) == 1


def test_no_plan_costs_less_than_nothing() -> None:
    plan = make_plan(amount=Decimal(0), active=False)

    with pytest.raises(IntegrityError, match="rate_plan_amount_is_not_negative"), transaction.atomic():
        RatePlan.objects.filter(pk=plan.pk).update(amount=Decimal("-0.000000000001"))


@pytest.mark.parametrize(
    ("fields", "param", "reason"),
    [
        (
            {"model": "BARTER"},
            "model",
            "model must be one of STANDARD, GRADUATED, VOLUME, PACKAGE, PERCENTAGE, GRADUATED_PERCENTAGE, DYNAMIC.",
        ),
        ({"properties": {}}, "properties.unit_amount", "unit_amount is missing."),
        ({"properties": {"unit_amount": "-1"}}, "properties.unit_amount", "unit_amount must not be negative."),
        (
            {"properties": {"unit_amuont": "1"}},
            "properties.unit_amuont",
            "unit_amuont is not known here; known are unit_amount.",
        ),
        (
            {"model": "GRADUATED", "properties": {"tiers": [{"up_to": "5", "unit_amount": "1"}, {"up_to": None}]}},
            "properties.tiers[1].unit_amount",
            "Tier 2: unit_amount is missing.",
        ),
        (
            {"match": {"region": ["eu"]}},
            "match.region",
            "The metric tokens is not kept by the dimension 'region'",
        ),
        ({"match": {"model": []}}, "match.model", "The match on 'model' names no value"),
    ],
)
def test_a_charge_that_cannot_be_computed_is_refused_at_its_place(
    fields: dict[str, Any], param: str, reason: str
) -> None:
    metric = make_metric(code="tokens", dimensions=["model"])
    good = make_charge(make_metric())

    with pytest.raises(InvalidCharge) as refusal:
        make_plan(charges=[good, make_charge(metric, **fields)])

    assert (refusal.value.param, refusal.value.message) == (f"charges[1].{param}", reason)
    assert not RatePlan.objects.exists()


def test_an_unknown_metric_is_not_found() -> None:
    charge = ChargeSpec(metric=TypeID.new("metr"), model="STANDARD", properties={"unit_amount": "1"})

    with pytest.raises(NotFound):
        make_plan(charges=[charge])


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ({}, {}, True),
        ({"model": ["a"]}, {"model": ["a"]}, True),
        ({"model": ["a", "b"]}, {"model": ["b", "c"]}, True),
        ({"model": ["a"]}, {"region": ["eu"]}, True),
        ({"model": ["a"], "region": ["eu"]}, {"model": ["a"], "region": ["eu", "us"]}, True),
        ({}, {"model": ["a"]}, False),
        ({"model": ["a"]}, {"model": ["b"]}, False),
        ({"model": ["a"]}, {"model": ["a"], "region": ["eu"]}, False),
        ({"model": ["a"], "region": ["eu"]}, {"model": ["a"], "region": ["us"]}, False),
    ],
)
def test_two_charges_that_could_claim_the_same_event_with_equal_right_are_refused(
    first: Match, second: Match, is_refused: bool
) -> None:
    metric = make_metric(dimensions=["model", "region"])
    between = make_charge(make_metric())
    charges = [make_charge(metric, match=first), between, make_charge(metric, match=second)]

    if is_refused:
        with pytest.raises(ChargesCouldTie) as refusal:
            make_plan(charges=charges)
        assert refusal.value.details == {"first": 1, "second": 3}
    else:
        assert make_plan(charges=charges).charges.count() == 3


def test_charges_of_two_metrics_never_tie() -> None:
    assert make_plan(charges=[make_charge(make_metric()), make_charge(make_metric())]).charges.count() == 2
