"""Products at the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product
from config.kernel.admin import change_url
from tests.factories import NOW, make_plan, make_product, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

FIELDS = {"product_type": "STANDARD_API", "code": "inference", "name": "Inference", "audience": "EXTERNAL"}

#: What a browser sends along for the rate plans shown below the form.
NO_PLANS = {"rate_plans-TOTAL_FORMS": "0", "rate_plans-INITIAL_FORMS": "0"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_product_{page}", args=arguments)


def test_every_page_opens(desk: Client, reader: Client) -> None:
    product = make_product()
    make_plan(product=product, name="Pro")

    for browser in (desk, reader):
        assert "GA" in browser.get(url("changelist")).content.decode()
        page = browser.get(url("change", product.pk)).content.decode()
        assert "Pro" in page
        assert browser.get(url("history", product.pk)).status_code == 200
    assert desk.get(url("add")).status_code == 200
    assert reader.get(url("add")).status_code == 403


def test_adding_a_product_goes_through_the_operation(desk: Client) -> None:
    response = desk.post(url("add"), FIELDS)

    product = Product.objects.get()
    assert response["Location"] == url("changelist")
    assert (product.code, product.maturity_stage, product.created_at) == ("inference", "EXPERIMENTAL", NOW)
    assert [row.history_actor for row in product.history.all()] == ["olga"]


def test_a_code_that_is_taken_is_refused_and_nothing_typed_is_lost(desk: Client) -> None:
    make_product(code="inference")

    response = desk.post(url("add"), {**FIELDS, "description": "Tokens by the million"})

    assert response.context["adminform"].form.errors == {"code": ["The code 'inference' is already in use"]}
    assert "Tokens by the million" in response.content.decode()
    assert Product.objects.count() == 1


def test_a_change_writes_one_row_with_its_reason_and_the_type_stays(desk: Client) -> None:
    product = make_product(stage="EXPERIMENTAL")

    typed = {**FIELDS, "product_type": "AI_AGENT", "name": "Renamed", "change_reason": "Rebranding"}
    desk.post(url("change", product.pk), {**typed, **NO_PLANS})

    product.refresh_from_db()
    _, second = product.history.order_by("history_id")
    assert (product.name, product.product_type) == ("Renamed", "STANDARD_API")
    assert (second.history_actor, second.history_change_reason) == ("olga", "Rebranding")


def titles_of(response: Any) -> list[str]:
    """Return what the menu of a product's page offers."""
    [menu] = response.context["actions_detail"]
    return [one["title"] for one in menu["items"]]


def test_where_a_product_stands_is_shown_as_steps_with_the_next_ones_in_the_menu(desk: Client) -> None:
    product = make_product(stage="GA")

    response = desk.get(url("change", product.pk))

    maturity, storefront = response.context["life_cycles"]
    assert [step["state"] for step in maturity["steps"]] == ["done", "done", "current", "ahead", "ahead"]
    assert [step["state"] for step in storefront["steps"]] == ["current", "ahead", "ahead", "ahead"]
    assert titles_of(response) == [
        "Advance to DEPRECATED",
        "Submit for review",
        "Upload OpenAPI",
        "Clone",
        "Delete",
    ]


@pytest.mark.parametrize(
    ("stage", "following"), [("EXPERIMENTAL", "BETA"), ("BETA", "GA"), ("GA", "DEPRECATED"), ("DEPRECATED", "RETIRED")]
)
def test_advancing_asks_and_then_goes_one_step(desk: Client, stage: str, following: str) -> None:
    product = make_product(stage=stage)
    address = url(f"advance_to_{following.lower()}", product.pk)

    page = desk.get(address).content.decode()
    product.refresh_from_db()
    assert product.maturity_stage == stage
    desk.post(address, {"confirmed": "yes", "reason": "Board meeting"})

    product.refresh_from_db()
    row = product.history.latest("history_id")
    assert "there is no way back" in page
    assert product.maturity_stage == following
    assert (row.history_actor, row.history_change_reason) == ("olga", "Board meeting")


@pytest.mark.parametrize(
    ("status", "page", "following"),
    [
        ("DRAFT", "submit_for_review", "IN_REVIEW"),
        ("IN_REVIEW", "publish", "PUBLISHED"),
        ("IN_REVIEW", "return_to_draft", "DRAFT"),
        ("PUBLISHED", "archive", "ARCHIVED"),
        ("ARCHIVED", "reopen", "DRAFT"),
    ],
)
def test_publication_asks_and_then_goes_one_step(desk: Client, status: str, page: str, following: str) -> None:
    product = make_product(publish_status=status)

    assert desk.get(url(page, product.pk)).status_code == 200
    product.refresh_from_db()
    assert product.publish_status == status
    desk.post(url(page, product.pk), {"confirmed": "yes", "reason": "Launch"})

    product.refresh_from_db()
    row = product.history.latest("history_id")
    assert product.publish_status == following
    assert (row.history_actor, row.history_change_reason) == ("olga", "Launch")


@pytest.mark.parametrize(
    ("stage", "offered"),
    [
        ("EXPERIMENTAL", ["Advance to BETA", "Return to draft", "Upload OpenAPI", "Clone", "Delete"]),
        ("BETA", ["Advance to GA", "Publish", "Return to draft", "Upload OpenAPI", "Clone", "Delete"]),
    ],
)
def test_what_is_experimental_is_not_offered_for_publication(desk: Client, stage: str, offered: list[str]) -> None:
    product = make_product(stage=stage, publish_status="IN_REVIEW")

    assert titles_of(desk.get(url("change", product.pk))) == offered
    answer = desk.post(url("publish", product.pk), {"confirmed": "yes", "reason": "Launch"})

    product.refresh_from_db()
    told = "A product in EXPERIMENTAL cannot become PUBLISHED; advance it first"
    if stage == "EXPERIMENTAL":
        assert answer.context["form"].non_field_errors() == [told]
    assert product.publish_status == ("IN_REVIEW" if stage == "EXPERIMENTAL" else "PUBLISHED")


def test_a_clone_is_made_under_a_name_of_its_own_and_its_page_opens(desk: Client) -> None:
    product = make_plan(name="Pro").product
    address = url("clone", product.pk)

    asked = desk.get(address).context["form"].initial
    taken = desk.post(address, {"confirmed": "yes", "name": "Copy", "code": product.code})
    made = desk.post(address, {"confirmed": "yes", "name": "Copy", "code": "copy", "reason": "For the EU"})

    clone = Product.objects.get(code="copy")
    assert asked == {"name": f"{product.name} (copy)", "code": f"{product.code}-copy"}
    assert taken.context["form"].errors == {"code": [f"The code '{product.code}' is already in use"]}
    assert made["Location"] == change_url(clone)
    page = desk.get(made["Location"]).content.decode()
    assert "Cloned as Copy." in page
    assert "Pro" in page
    assert [row.history_change_reason for row in clone.history.all()] == ["For the EU"]


def test_a_subscribed_product_does_not_retire(desk: Client) -> None:
    product = make_product(stage="GA")
    make_subscription(plan=make_plan(product=product))
    desk.post(url("advance_to_deprecated", product.pk), {"confirmed": "yes", "reason": "Old"})

    response = desk.post(url("advance_to_retired", product.pk), {"confirmed": "yes", "reason": "Old"})

    assert response.context["form"].non_field_errors() == ["The product has 1 live subscription(s)"]
    product.refresh_from_db()
    assert product.maturity_stage == "DEPRECATED"


def test_a_reader_runs_no_action_and_deletes_nothing(reader: Client) -> None:
    product = make_product(stage="GA")

    for page in ("advance_to_deprecated", "submit_for_review", "clone", "delete"):
        answer = reader.post(url(page, product.pk), {"confirmed": "yes", "reason": "Old", "confirm": "on"})
        assert answer.status_code == 403
    assert Product.objects.get().maturity_stage == "GA"


def test_deletion_shows_what_blocks_it_and_leads_there(desk: Client) -> None:
    subscription = make_subscription()
    make_subscription()
    product = subscription.plan.product

    page = desk.get(url("delete", product.pk))
    desk.post(url("delete", product.pk), {"confirmed": "yes", "reason": "Tidy", "confirm": "on"})

    findings = page.context["page"].reports[0][1].findings
    assert [(one.code, one.verdict.name) for one in findings] == [
        ("active_subscriptions", "BLOCK"), ("rate_plans", "WARN")
    ]  # fmt: skip
    assert Product.objects.filter(pk=product.pk).exists()
    for finding in findings:
        assert len(desk.get(finding.link).context["cl"].result_list) == 1


@pytest.mark.parametrize(("ticked", "left"), [({}, True), ({"confirm": "on"}, False)])
def test_deletion_with_rate_plans_wants_a_confirmation(desk: Client, ticked: dict[str, str], left: bool) -> None:
    product = make_plan().product

    desk.post(url("delete", product.pk), {"confirmed": "yes", "reason": "Tidy", **ticked})

    assert Product.objects.filter(pk=product.pk).exists() is left


def test_the_list_is_filtered_and_searched(desk: Client) -> None:
    make_product(code="one", name="One", stage="GA")
    make_product(code="two", name="Two", stage="BETA", product_type="MCP_SERVER")

    by_stage = desk.get(url("changelist"), {"maturity_stage__exact": "BETA"}).context["cl"].result_list
    published = make_product(code="three", publish_status="PUBLISHED", stage="GA")
    by_status = desk.get(url("changelist"), {"publish_status__exact": "PUBLISHED"}).context["cl"].result_list
    by_type = desk.get(url("changelist"), {"product_type__exact": "MCP_SERVER"}).context["cl"].result_list
    by_word = desk.get(url("changelist"), {"q": "one"}).context["cl"].result_list

    assert list(by_status) == [published]
    assert [[one.code for one in found] for found in (by_stage, by_type, by_word)] == [["two"], ["two"], ["one"]]


def test_a_list_asks_the_database_as_often_for_many_as_for_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_product()

    with django_assert_max_num_queries(8):
        desk.get(url("changelist"))
