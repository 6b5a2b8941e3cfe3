"""The check of the catalog in the shell, over the API and at the desk."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from catalog.models import RatePlan
from config.kernel.ids import TypeID
from tests.api_client import code_of, refusal_of
from tests.catalog.flaws import ANY, LIMITED, by_model, drafted, stored
from tests.factories import NOW, make_customer, make_metric, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def test_the_command_exits_with_an_error_only_where_there_is_one() -> None:
    plan = drafted(LIMITED)
    out = io.StringIO()
    call_command("check_catalog", stdout=out, as_of=NOW)
    assert f"WARNING {plan} ({plan.pk}): Every charge on Tokens is limited by model" in out.getvalue()
    assert out.getvalue().endswith("0 error(s), 1 warning(s), 0 hint(s)\n")

    stored(plan, by_model())
    stored(plan, plan.charges.get(position=1).metric, match={"model": ["a"]})

    with pytest.raises(CommandError, match="1 error"):
        call_command("check_catalog", stdout=io.StringIO(), as_of=NOW)


def test_the_api_tells_what_is_found_and_how_much_of_it(api: APIClient) -> None:
    metric = by_model()
    plan, other = drafted(LIMITED, metric=metric), drafted(ANY, ANY, metric=metric)
    make_customer(currency="JPY")

    answer = api.get("/v1/catalog-check")

    assert answer.status_code == 200
    found = answer.json()
    assert found["counts"] == {"error": 1, "warning": 2, "hint": 0}
    assert [(one["severity"], one["code"], one["object"]) for one in found["findings"]] == [
        ("ERROR", "charges_overlap", other.id),
        ("WARNING", "usage_without_charge", plan.id),
        ("WARNING", "currency_without_plan", None),
    ]
    assert all(one["message"] and one["advice"] for one in found["findings"])
    alone = api.get(f"/v1/catalog-check?plan={plan.id}").json()
    assert [one["object"] for one in alone["findings"]] == [plan.id]
    assert refusal_of(api.get("/v1/catalog-check?plan=pro")) == (400, "invalid_plan", "plan")
    assert refusal_of(api.get(f"/v1/catalog-check?plan={TypeID.new('plan')}")) == (404, "rate_plan_not_found", "plan")


def test_only_who_reads_the_catalog_may_have_it_checked(api_of: Callable[..., APIClient]) -> None:
    assert api_of("catalog:read").get("/v1/catalog-check").status_code == 200
    assert code_of(api_of("customers:read").get("/v1/catalog-check")) == (403, "insufficient_scope")


def test_the_desk_shows_every_flaw_with_the_way_to_its_page(desk: Client) -> None:
    plan = drafted(LIMITED)
    path = reverse("admin:catalog_rateplan_catalog_check")

    page = desk.get(path)

    text = page.content.decode()
    assert [(one["severity"], one["count"]) for one in page.context["counts"]] == [
        ("Error", 0), ("Warning", 1), ("Hint", 0)
    ]  # fmt: skip
    assert reverse("admin:catalog_rateplan_change", args=[plan.pk]).replace("plan_", "plan_5F") in text
    assert "Every charge on Tokens is limited by model" in text
    assert path in desk.get(reverse("admin:index")).content.decode()


def test_a_plan_shows_its_own_flaws_and_a_sound_draft_that_it_is_ready(desk: Client, reader: Client) -> None:
    make_metric()

    def checked(browser: Client, plan: RatePlan) -> str:
        panels = browser.get(reverse("admin:catalog_rateplan_change", args=[plan.pk])).context["panels"]
        return "".join(one.content for one in panels if one.title == "Catalog check")

    assert "is limited by model" in checked(desk, drafted(LIMITED))
    assert "ready to be activated" in checked(desk, drafted(ANY))
    assert "ready to be activated" in checked(reader, drafted(ANY))
    assert checked(desk, make_plan()) == ""
