"""Flaws of charges: each beside the nearest charges that have it not."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.flaws import Severity
from catalog.queries.catalog_check import check_plan
from tests.catalog.flaws import ANY, LIMITED, codes, drafted, tiers
from tests.factories import NOW, make_metric

pytestmark = pytest.mark.django_db

ERROR, WARNING, HINT = Severity.ERROR, Severity.WARNING, Severity.HINT

#: Charges on a metric kept by model, what is found, and the nearest charges that have no such flaw.
CHARGES: list[tuple[list[dict[str, Any]], tuple[str, Severity], list[dict[str, Any]]]] = [
    ([LIMITED], ("usage_without_charge", WARNING), [LIMITED, ANY]),
    ([ANY, ANY], ("charges_overlap", ERROR), [ANY, LIMITED]),
    (
        [ANY, LIMITED, {"match": {"model": ["b", "a"]}}],
        ("charges_overlap", ERROR),
        [ANY, LIMITED, {"match": {"model": ["b"]}}],
    ),
    ([ANY, {"match": {"region": ["eu"]}}], ("charge_never_claims", ERROR), [ANY, LIMITED]),
    ([ANY, {"match": {"model": []}}], ("charge_never_claims", ERROR), [ANY, LIMITED]),
    (
        [ANY, {"match": {"model": ["true"]}}],
        ("value_never_arrives", WARNING),
        [ANY, {"match": {"model": ["True"]}}],
    ),
    (
        [ANY, {"match": {"model": ["x" * 256]}}],
        ("value_never_arrives", WARNING),
        [ANY, {"match": {"model": ["x" * 255]}}],
    ),
    ([{"properties": {}}], ("price_unreadable", ERROR), [ANY]),
    ([{"properties": {"unit_amount": "0"}}], ("charge_costs_nothing", HINT), [ANY]),
    (
        [{"properties": {"unit_amount": "0"}}],
        ("charge_costs_nothing", HINT),
        [{"properties": {"unit_amount": "0"}, "minimum_amount": "5"}],
    ),
    (
        [{"model": "DYNAMIC", "properties": {"property": "cost", "multiplier": "0"}}],
        ("charge_costs_nothing", HINT),
        [{"model": "DYNAMIC", "properties": {"property": "cost"}}],
    ),
    (
        [{"model": "PACKAGE", "properties": {"package_size": "10", "amount": "0"}}],
        ("charge_costs_nothing", HINT),
        [{"model": "PACKAGE", "properties": {"package_size": "10", "amount": "1", "free_units": "5"}}],
    ),
    (
        [{"model": "PERCENTAGE", "properties": {"rate_percent": "0"}}],
        ("charge_costs_nothing", HINT),
        [{"model": "PERCENTAGE", "properties": {"rate_percent": "0", "fixed_amount": "1"}}],
    ),
    (
        [{"model": "VOLUME", "properties": tiers(("10", "0", "0"), (None, "0", "0"))}],
        ("charge_costs_nothing", HINT),
        [{"model": "VOLUME", "properties": tiers(("10", "0", "0"), (None, "1", "0"))}],
    ),
    (
        [{"model": "GRADUATED", "properties": tiers(("10", "1", "0"), ("20", "0", "0"), (None, "1", "0"))}],
        ("free_tier_between", WARNING),
        [{"model": "GRADUATED", "properties": tiers(("10", "0", "0"), ("20", "0", "1"), (None, "0", "0"))}],
    ),
    # 100 units come to 100, 101 to 50.50; where the flat amount makes up for it, no more usage costs less.
    (
        [{"model": "VOLUME", "properties": tiers(("100", "1", "0"), (None, "0.5", "0"))}],
        ("volume_cliff", WARNING),
        [{"model": "VOLUME", "properties": tiers(("100", "1", "0"), (None, "0.5", "50"))}],
    ),
    (
        [{"model": "VOLUME", "properties": tiers(("100", "1", "0"), (None, "1", "0"))} | LIMITED],
        ("usage_without_charge", WARNING),
        [{"model": "GRADUATED", "properties": tiers(("100", "1", "0"), (None, "0.5", "0"))}],
    ),
]


@pytest.mark.parametrize(("charges", "expected", "neighbour"), CHARGES)
def test_a_flaw_of_charges_is_found_and_its_neighbour_is_none(
    charges: list[dict[str, Any]], expected: tuple[str, Severity], neighbour: list[dict[str, Any]]
) -> None:
    plan, sound = drafted(*charges), drafted(*neighbour)

    found = check_plan(plan, now=NOW)

    assert codes(found) == [expected]
    assert found[0].about == plan
    assert found[0].message.endswith(".")
    assert found[0].advice.endswith(".")
    assert check_plan(sound, now=NOW) == []


SEATS: dict[str, Any] = {"aggregation": "UNIQUE_COUNT", "property": "user", "recurring": True}
UNFIT: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"model": "PERCENTAGE", "properties": {"rate_percent": "1"}}, {}, {"aggregation": "SUM", "property": "amount"}),
    ({"model": "DYNAMIC", "properties": {"property": "cost"}}, SEATS, {}),
    ({"prorated": True}, {**SEATS, "recurring": False}, SEATS),
]


@pytest.mark.parametrize(("charge", "metric", "neighbour"), UNFIT)
def test_a_charge_that_cannot_price_what_its_metric_counts_is_found(
    charge: dict[str, Any], metric: dict[str, Any], neighbour: dict[str, Any]
) -> None:
    unfit, fit = (drafted(charge, metric=make_metric(**fields)) for fields in (metric, neighbour))

    assert codes(check_plan(unfit, now=NOW)) == [("charge_unfit_for_metric", ERROR)]
    assert check_plan(fit, now=NOW) == []


def test_a_cliff_is_told_with_what_both_sides_cost() -> None:
    plan = drafted({"model": "VOLUME", "properties": tiers(("100", "1", "0"), (None, "0.5", "0")), "name": "Chat"})

    [found] = check_plan(plan, now=NOW)

    assert found.message == (
        "With charge 1 (Chat) more usage costs less: 100 units come to $100.00, 101 to $50.50."
    )  # fmt: skip
