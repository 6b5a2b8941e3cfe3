"""The charges of a rate plan in a real browser: tiers as rows, a mistyped bound named and corrected, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from catalog.models import Charge, RatePlan
from tests.desk.browser import apart
from tests.desk.test_walk import confirm, desk, open_row, save
from tests.factories import make_metric, make_plan, make_product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def test_an_operator_prices_tiers_for_one_model_and_corrects_a_bound(live_server: Any) -> None:
    make_product(name="Inference API")
    make_metric(name="Calls", code="calls")
    make_metric(name="Tokens", code="tokens", dimensions=["model", "region"])

    with desk(live_server.url) as page:
        begin_plan(page, live_server.url)
        charge = page.get_by_role("group", name="Charge 1")
        only_the_boxes_of_the_model_are_shown(charge)
        charge.get_by_label("Metric").select_option(label="Tokens (tokens)")
        charge.get_by_label("Pricing model").select_option("GRADUATED")
        type_tiers(page, charge)
        choose_one_model(charge)

        page.locator("[name=_save]").click()
        expect(charge.get_by_text("Tier 2: must be above 1000, where the tier begins.")).to_be_visible()
        bound = charge.get_by_label("Up to, tier 2")
        expect(bound).to_have_attribute("aria-invalid", "true")
        assert typed(charge) == [["1000", "0.10", "5", ""], ["500", "0.05", "", ""], ["", "0.02", "", "100"]]
        expect(charge.get_by_label("Values, row 1")).to_have_value("gpt-4o, kimi")

        bound.fill("5000")
        expect(starts(charge)).to_have_text(["0", "> 1000", "> 5000"])
        save(page)
        open_row(page, "Pro")
        page.get_by_role("link", name="Activate").click()
        confirm(page, reason="On sale")
        expect(page.get_by_text("1000 to 5000: $0.05 per unit")).to_be_visible()
        expect(page.get_by_text("only where model is gpt-4o or kimi")).to_be_visible()
        charges = apart(lambda: list(Charge.objects.filter(plan__status="ACTIVE")))

    assert [(one.model, one.properties, one.match) for one in charges] == [
        (
            "GRADUATED",
            {
                "tiers": [
                    {"up_to": "1000", "unit_amount": "0.10", "flat_amount": "5"},
                    {"up_to": "5000", "unit_amount": "0.05"},
                    {"up_to": None, "unit_amount": "0.02", "package_size": "100"},
                ]
            },
            {"model": ["gpt-4o", "kimi"]},
        )
    ]


def begin_plan(page: Page, url: str) -> None:
    """Fill in what the plan itself is."""
    page.goto(f"{url}/admin/catalog/rateplan/add/")
    page.locator(".field-product .select2-selection").click()
    page.locator(".select2-dropdown .select2-search__field").fill("Inference")
    page.locator(".select2-results__option", has_text="Inference API").click()
    page.fill("[name=code]", "pro")
    page.fill("[name=name]", "Pro")


def only_the_boxes_of_the_model_are_shown(charge: Locator) -> None:
    """See which boxes stand there for three of the models."""
    shown = {
        "STANDARD": ["Price per unit"],
        "GRADUATED": ["Up to, tier 1", "Price per unit, tier 1", "Flat amount, tier 1", "Package size, tier 1"],
        "GRADUATED_PERCENTAGE": ["Up to, tier 1", "Percentage, tier 1", "Flat amount, tier 1"],
    }
    every = {label for labels in shown.values() for label in labels}
    for model, labels in shown.items():
        charge.get_by_label("Pricing model").select_option(model)
        for label in sorted(every):
            expect(charge.get_by_label(label, exact=True)).to_be_visible(visible=label in labels)


def type_tiers(page: Page, charge: Locator) -> None:
    """Fill in three tiers, the third added by the keyboard, with a bound below the one before."""
    charge.get_by_label("Up to, tier 1").fill("1000")
    charge.get_by_label("Price per unit, tier 1").fill("0.10")
    charge.get_by_label("Flat amount, tier 1").fill("5")
    charge.get_by_label("Price per unit, tier 2").fill("0.05")
    charge.get_by_role("button", name="Add tier").focus()
    page.keyboard.press("Enter")
    expect(charge.get_by_label("Up to, tier 2")).to_be_focused()
    page.keyboard.type("500")
    expect(starts(charge)).to_have_text(["0", "> 1000", "> 500"])
    charge.get_by_label("Price per unit, tier 3").fill("0.02")
    charge.get_by_label("Package size, tier 3").fill("100")


def choose_one_model(charge: Locator) -> None:
    """Limit the charge by one of the metric's dimensions, and take a second row away again."""
    for values in ("gpt-4o, kimi", "eu"):
        charge.get_by_role("button", name="Add dimension").click()
        charge.get_by_label("Values, row").last.fill(values)
    offered = charge.get_by_label("Dimension, row 1").locator("option").all_text_contents()
    assert offered == ["Dimension", "model", "region"]
    charge.get_by_label("Dimension, row 1").select_option("model")
    charge.get_by_role("button", name="Remove row 2").click()
    expect(charge.get_by_label("Values, row 2")).to_have_count(0)


def starts(charge: Locator) -> Locator:
    """Return where the tiers begin, as shown."""
    return charge.locator("[data-above]")


def typed(charge: Locator) -> list[list[str]]:
    """Return what stands in the boxes of the tiers that can be seen."""
    return [
        [box.input_value() for box in row.get_by_role("textbox").all()]
        for row in charge.locator("[data-rows=tiers] [data-list] [data-row]").all()
    ]


def test_charges_and_tiers_are_added_and_removed_and_the_metric_decides_the_dimensions(live_server: Any) -> None:
    make_metric(name="Calls", code="calls")
    make_metric(name="Tokens", code="tokens", dimensions=["model"])
    plan = make_plan(active=False, name="Pro")

    with desk(live_server.url) as page:
        page.goto(f"{live_server.url}/admin/catalog/rateplan/{plan.pk}/change/")
        page.get_by_role("button", name="Add a charge").focus()
        page.keyboard.press("Enter")
        added = page.get_by_role("group", name="New charge")
        expect(added.get_by_label("Metric")).to_be_focused()
        added.get_by_label("Metric").select_option(label="Calls (calls)")
        expect(added.get_by_text("This metric is kept by no dimensions")).to_be_visible()
        expect(added.get_by_role("button", name="Add dimension")).to_be_hidden()
        added.get_by_label("Metric").select_option(label="Tokens (tokens)")
        added.get_by_role("button", name="Add dimension").click()
        added.get_by_label("Dimension, row 1").select_option("model")
        added.get_by_label("Values, row 1").fill("kimi")

        added.get_by_label("Pricing model").select_option("VOLUME")
        added.get_by_role("button", name="Add tier").click()
        for number, (bound, price) in enumerate([("10", "3"), ("20", "2"), ("", "1")], start=1):
            added.get_by_label(f"Up to, tier {number}").fill(bound)
            added.get_by_label(f"Price per unit, tier {number}").fill(price)
        added.get_by_role("button", name="Remove tier 1").click()
        expect(added.get_by_role("button", name="Remove tier 1")).to_be_focused()
        expect(starts(added)).to_have_text(["0", "> 20"])
        page.locator("[name=_save]").click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        charges = apart(lambda: list(RatePlan.objects.get(pk=plan.pk).charges.all()))

    assert [(one.model, one.properties, one.match) for one in charges] == [
        (
            "VOLUME",
            {"tiers": [{"up_to": "20", "unit_amount": "2"}, {"up_to": None, "unit_amount": "1"}]},
            {"model": ["kimi"]},
        )
    ]


def test_rows_work_under_a_policy_that_forbids_scripts_within_the_page(live_server: Any) -> None:
    def with_policy(route: Route) -> None:
        answer = route.fetch()
        # The theme's own library evaluates its attributes; nothing within the page may run.
        policy = "script-src 'self' 'unsafe-eval'"
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})

    with desk(live_server.url) as page:
        page.route("**/rateplan/add/", with_policy)
        page.goto(f"{live_server.url}/admin/catalog/rateplan/add/")
        charge = page.get_by_role("group", name="Charge 1")
        expect(charge.get_by_label("Up to, tier 1")).to_be_hidden()
        charge.get_by_label("Pricing model").select_option("GRADUATED")
        charge.get_by_role("button", name="Add tier").click()

        expect(charge.get_by_label("Up to, tier 3")).to_be_visible()
        expect(charge.get_by_label("Price per unit", exact=True)).to_be_hidden()
