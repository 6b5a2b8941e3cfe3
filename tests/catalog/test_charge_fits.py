"""Which charges fit which metrics: every pair is allowed, or refused with what stands against it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import InvalidCharge
from catalog.models import Charge
from catalog.operations.rate_plans import ChargeSpec
from tests.factories import make_charge, make_metric, make_plan

pytestmark = pytest.mark.django_db

TIERS: dict[str, Any] = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}
PACKAGES = {"tiers": [{"up_to": None, "unit_amount": "1", "package_size": "10"}]}
PROPERTIES: dict[str, dict[str, Any]] = {
    "STANDARD": {"unit_amount": "1"},
    "GRADUATED": TIERS,
    "VOLUME": TIERS,
    "PACKAGE": {"package_size": "10", "amount": "1"},
    "PERCENTAGE": {"rate_percent": "1"},
    "GRADUATED_PERCENTAGE": {"tiers": [{"up_to": None, "rate_percent": "1"}]},
    "DYNAMIC": {"property": "cost"},
}
BY_UNITS = {"STANDARD", "GRADUATED", "VOLUME", "PACKAGE", "GRADUATED_PERCENTAGE"}
METRICS: list[tuple[dict[str, Any], set[str]]] = [
    ({"aggregation": "COUNT"}, {*BY_UNITS, "DYNAMIC"}),
    ({"aggregation": "SUM"}, {*BY_UNITS, "DYNAMIC", "PERCENTAGE"}),
    ({"aggregation": "MAX"}, {*BY_UNITS, "DYNAMIC"}),
    ({"aggregation": "UNIQUE_COUNT"}, BY_UNITS),
    ({"aggregation": "LATEST"}, BY_UNITS),
    ({"aggregation": "WEIGHTED_SUM"}, BY_UNITS),
    ({"aggregation": "SUM", "recurring": True}, BY_UNITS),
    ({"aggregation": "SUM", "rounding_function": "ceil"}, BY_UNITS),
]


def charge_on(fields: dict[str, Any], model: str, **options: Any) -> ChargeSpec:
    """Return a charge of ``model`` on a metric like that, which goes by the code “storage”."""
    named = "" if fields["aggregation"] == "COUNT" else "size"
    metric = make_metric(code="storage", property=named, **fields)
    return make_charge(metric, model=model, **{"properties": PROPERTIES[model], **options})


def assert_priced(charge: ChargeSpec) -> None:
    make_plan(charges=[charge])

    assert list(Charge.objects.values_list("model", "prorated")) == [(charge.model, charge.prorated)]


def refusal_of(charge: ChargeSpec) -> tuple[str | None, str]:
    """Return which field of a plan's second charge is refused, and why."""
    with pytest.raises(InvalidCharge) as refusal:
        make_plan(charges=[make_charge(make_metric()), charge])

    assert not Charge.objects.exists()
    return refusal.value.param, refusal.value.message


# The ids name no set: its order changes from process to process, and the workers would not agree on the tests.
@pytest.mark.parametrize(("fields", "models"), METRICS, ids=[str(fields) for fields, _ in METRICS])
@pytest.mark.parametrize("model", sorted(PROPERTIES))
def test_a_model_prices_what_a_metric_counts_or_is_refused(
    model: str, fields: dict[str, Any], models: set[str]
) -> None:
    charge = charge_on(fields, model)

    if model in models:
        assert_priced(charge)
    else:
        param, reason = refusal_of(charge)
        assert param == "charges[1].model"
        assert "storage" in reason
        assert model in reason


SEATS: dict[str, Any] = {"aggregation": "UNIQUE_COUNT", "recurring": True}


@pytest.mark.parametrize("model", ["STANDARD", "GRADUATED", "VOLUME"])
@pytest.mark.parametrize("aggregation", ["SUM", "UNIQUE_COUNT"])
def test_units_that_come_and_go_are_prorated(model: str, aggregation: str) -> None:
    assert_priced(charge_on({**SEATS, "aggregation": aggregation}, model, prorated=True))


NOT_PRORATED: list[tuple[str, dict[str, Any], str]] = [
    ("STANDARD", {**SEATS, "recurring": False}, "Only a recurring SUM or UNIQUE_COUNT"),
    ("STANDARD", {"aggregation": "COUNT"}, "Only a recurring SUM or UNIQUE_COUNT"),
    ("STANDARD", {**SEATS, "aggregation": "LATEST"}, "Only a recurring SUM or UNIQUE_COUNT"),
    ("STANDARD", {**SEATS, "aggregation": "WEIGHTED_SUM"}, "Only a recurring SUM or UNIQUE_COUNT"),
    ("STANDARD", {**SEATS, "rounding_function": "round"}, "storage rounds the units of a period"),
    ("PACKAGE", SEATS, "PACKAGE has no price for a part of a unit"),
    ("GRADUATED_PERCENTAGE", SEATS, "GRADUATED_PERCENTAGE has no price for a part of a unit"),
]


@pytest.mark.parametrize(("model", "fields", "reason"), NOT_PRORATED)
def test_what_has_no_share_in_a_period_is_not_prorated(model: str, fields: dict[str, Any], reason: str) -> None:
    param, said = refusal_of(charge_on(fields, model, prorated=True))

    assert param == "charges[1].prorated"
    assert reason in said


@pytest.mark.parametrize("model", ["GRADUATED", "VOLUME"])
def test_a_tier_by_the_package_is_not_prorated(model: str) -> None:
    param, said = refusal_of(charge_on(SEATS, model, prorated=True, properties=PACKAGES))

    assert param == "charges[1].prorated"
    assert "per started package" in said
