"""The check of the catalog: each flaw of plans, products and metrics beside the catalog that has it not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.flaws import Severity
from catalog.models import RatePlan
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.rate_plans import activate_rate_plan, archive_rate_plan
from catalog.queries.catalog_check import check_catalog, check_plan
from tests.catalog.flaws import ANY, LIMITED, codes, drafted
from tests.factories import NOW, make_charge, make_customer, make_metric, make_plan, make_product

pytestmark = pytest.mark.django_db

ERROR, WARNING, HINT = Severity.ERROR, Severity.WARNING, Severity.HINT


def test_a_plan_that_costs_nothing_is_found() -> None:
    free = make_plan(amount=Decimal(0))

    assert codes(check_plan(free, now=NOW)) == [("plan_costs_nothing", WARNING)]
    assert check_plan(make_plan(amount=Decimal(1)), now=NOW) == []
    assert check_plan(make_plan(amount=Decimal(0), charges=[make_charge(make_metric())]), now=NOW) == []
    assert check_plan(make_plan(amount=Decimal(0), minimum_commitment=Decimal(1)), now=NOW) == []


def test_minimums_that_leave_no_room_below_the_maximum_are_found() -> None:
    charges = [make_charge(make_metric(), minimum_amount=Decimal(least)) for least in (20, 30)]
    stuck, free = (
        make_plan(amount=Decimal(50), charges=charges, maximum_spend=Decimal(most)) for most in ("99.99", "100")
    )

    [found] = check_plan(stuck, now=NOW)

    assert codes([found]) == [("minimums_beyond_maximum", WARNING)]
    assert found.message.startswith("Base fee and minimums of the charges come to $100.00, the maximum spend is $99.99")
    assert check_plan(free, now=NOW) == []


def test_an_active_plan_of_a_retired_product_is_found() -> None:
    plans = [make_plan(product=make_product(stage=stage)) for stage in ("RETIRED", "DEPRECATED")]

    assert [codes(check_plan(plan, now=NOW)) for plan in plans] == [[("active_plan_of_retired_product", WARNING)], []]
    archive_rate_plan(plans[0].id, now=NOW)
    assert check_plan(RatePlan.objects.get(pk=plans[0].pk), now=NOW) == []


def test_a_draft_that_nobody_touches_is_found_after_ninety_days() -> None:
    draft, active = make_plan(active=False), make_plan()
    day = NOW + timedelta(days=90)

    assert check_plan(draft, now=day) == check_plan(active, now=day + timedelta(seconds=1)) == []
    assert codes(check_plan(draft, now=day + timedelta(seconds=1))) == [("draft_untouched", HINT)]


@pytest.mark.parametrize(
    ("stage", "publish_status", "active", "is_flaw"),
    [
        ("GA", "PUBLISHED", False, True),
        ("GA", "PUBLISHED", True, False),
        ("BETA", "PUBLISHED", False, True),
        ("DEPRECATED", "PUBLISHED", False, False),
        ("GA", "IN_REVIEW", False, False),
    ],
)
def test_a_product_on_show_that_nobody_can_buy_is_found(
    stage: str, publish_status: str, active: bool, is_flaw: bool
) -> None:
    product = make_product(stage=stage, publish_status=publish_status)
    make_plan(product=product, active=active)

    found = [flaw for flaw in check_catalog(now=NOW) if flaw.about == product]

    assert codes(found) == ([("published_without_plan", ERROR)] if is_flaw else [])


def test_an_older_version_that_is_still_sold_is_found() -> None:
    first, other = make_plan(code="pro"), make_plan()
    second = clone_rate_plan(first.id, now=NOW)
    assert check_catalog(now=NOW) == []

    activate_rate_plan(second.id, now=NOW)

    [found] = check_catalog(now=NOW)
    assert (found.code, found.severity, found.about) == ("older_version_active", HINT, first)
    archive_rate_plan(first.id, now=NOW)
    assert check_catalog(now=NOW) == []
    assert other.version == 1


def test_a_metric_that_no_plan_charges_is_found() -> None:
    sold, drafted_only, archived, alone = (make_metric() for _ in range(4))
    make_plan(charges=[make_charge(sold)])
    make_plan(charges=[make_charge(drafted_only)], active=False)
    archive_rate_plan(make_plan(charges=[make_charge(archived)]).id, now=NOW)

    found = check_catalog(now=NOW)

    assert [(flaw.code, flaw.about) for flaw in found] == [
        ("metric_not_charged", archived), ("metric_not_charged", alone)
    ]  # fmt: skip


def test_two_metrics_that_count_the_same_are_found() -> None:
    terms: dict[str, Any] = {"event_type": "chat", "aggregation": "SUM", "property": "tokens"}
    first, same, other = make_metric(**terms), make_metric(**terms), make_metric(**terms, dimensions=["model"])
    make_plan(charges=[make_charge(metric) for metric in (first, same, other)])

    [found] = check_catalog(now=NOW)

    assert (found.code, found.about) == ("metric_defined_twice", same)
    assert first.name in found.message


def test_customers_whose_currency_nothing_is_sold_in_are_found() -> None:
    make_customer(currency="USD")
    for _ in range(2):
        make_customer(currency="JPY")
    make_plan(currency="USD")
    draft = make_plan(currency="JPY", active=False)

    [found] = check_catalog(now=NOW)

    assert (found.code, found.about) == ("currency_without_plan", None)
    assert found.message.startswith("2 customer(s) pay in JPY")
    activate_rate_plan(draft.id, now=NOW)
    assert check_catalog(now=NOW) == []


def test_the_worst_comes_first_and_archived_plans_are_left_alone() -> None:
    make_metric()
    bad = drafted(LIMITED)
    overlapping = drafted(ANY, ANY)
    archived = drafted(ANY, ANY)
    activate_rate_plan(archived.id, now=NOW)
    archive_rate_plan(archived.id, now=NOW)

    found = [flaw for flaw in check_catalog(now=NOW) if flaw.code != "metric_defined_twice"]

    assert [(flaw.severity, flaw.about) for flaw in found[:2]] == [(ERROR, overlapping), (WARNING, bad)]
    assert {flaw.severity for flaw in found[2:]} == {HINT}


def test_a_large_catalog_takes_no_more_questions_than_a_small_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(6):
        make_plan(charges=[make_charge(make_metric()), make_charge(make_metric())])

    with django_assert_max_num_queries(12):
        assert check_catalog(now=NOW) == []
