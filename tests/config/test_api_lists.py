"""Pages, cursors, filters and strict parameters of lists."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product
from catalog.models.product import ProductType
from config.api.filters import spellings
from config.kernel import counting
from tests.config.api_desk import api, make_product

pytestmark = [pytest.mark.urls("tests.config.api_desk"), pytest.mark.django_db]

NOW = timezone.now()


def make_products(count: int, *, at: datetime = NOW) -> list[Product]:
    """Return products of the same moment, newest first as the lists have them."""
    made = Product.objects.bulk_create(
        [
            Product(code=f"p{number}", name="P", product_type=ProductType.STANDARD_API, created_at=at, updated_at=at)
            for number in range(count)
        ]
    )
    return sorted(made, key=lambda product: product.pk, reverse=True)


def listed(**parameters: Any) -> Any:
    return api().get("/v1/products", parameters)


def test_a_list_has_twenty_objects_newest_first_and_tells_where_it_stands() -> None:
    made = make_products(25)

    answer = listed().json()

    assert [one["id"] for one in answer["data"]] == [product.pk for product in made[:20]]
    told = answer["pagination"]
    assert {name: told[name] for name in ("total", "limit", "offset", "has_more")} == {
        "total": 25,
        "limit": 20,
        "offset": 0,
        "has_more": True,
    }


def test_the_last_page_says_so() -> None:
    make_products(25)

    told = listed(offset=20, limit=5).json()["pagination"]

    assert told == {"total": 25, "limit": 5, "offset": 20, "has_more": False, "next_cursor": None}


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_cursors_give_every_object_once_in_the_order_of_the_list(limit: int) -> None:
    older = make_product("older")
    Product.objects.filter(pk=older.pk).update(created_at=NOW - timedelta(days=1))
    expected = [product.pk for product in make_products(13)] + [older.pk]

    seen: list[str] = []
    parameters: dict[str, Any] = {"limit": limit}
    while True:
        answer = listed(**parameters).json()
        assert answer["pagination"]["offset"] == len(seen)
        seen += [one["id"] for one in answer["data"]]
        if (cursor := answer["pagination"]["next_cursor"]) is None:
            break
        parameters["cursor"] = cursor

    assert seen == expected


def test_objects_made_while_paging_by_cursor_shift_nothing() -> None:
    made = make_products(4)
    first = listed(limit=2).json()
    make_product("newer")

    second = listed(limit=2, cursor=first["pagination"]["next_cursor"]).json()

    assert [one["id"] for one in second["data"]] == [product.pk for product in made[2:]]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"limit": "0"}, "invalid_limit"),
        ({"limit": "101"}, "invalid_limit"),
        ({"limit": "-1"}, "invalid_limit"),
        ({"limit": ""}, "invalid_limit"),
        ({"limit": "1.0"}, "invalid_limit"),
        ({"limit": "１"}, "invalid_limit"),
        ({"limit": "1_0"}, "invalid_limit"),
        ({"limit": "9" * 5000}, "invalid_limit"),
        ({"offset": "-1"}, "invalid_offset"),
        ({"offset": "1000000001"}, "invalid_offset"),
        ({"offset": "x"}, "invalid_offset"),
        ({"cursor": ""}, "invalid_cursor"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"cursor": "ä"}, "invalid_cursor"),
        ({"cursor": "WzEsMiwzXQ"}, "invalid_cursor"),
        ({"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIngiLDBd"}, "invalid_cursor"),
        ({"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieCIsMF0"}, "invalid_cursor"),
        ({"cursor": "W1tbW1tbW1tbW1tb"}, "invalid_cursor"),
        ({"cursor": "W1tb" * 1000}, "invalid_cursor"),
        ({"limit": "1\0"}, "invalid_limit"),
        ({"colour": "red"}, "unknown_field"),
        ({"a\0": "red"}, "unknown_field"),
        ({"format": "json"}, "unknown_field"),
        ({"limit": ["1", "2"]}, "duplicate_key"),
        ({"audience": "NOBODY"}, "invalid_audience"),
        ({"created_after": "2026-01-01"}, "invalid_created_after"),
        ({"created_after": "2026-01-01T00:00:00"}, "invalid_created_after"),
        ({"code": "a\0"}, "invalid_code"),
    ],
)
def test_a_parameter_out_of_range_or_unknown_is_refused(parameters: dict[str, Any], code: str) -> None:
    answer = listed(**parameters)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_the_bounds_themselves_are_taken() -> None:
    for parameters in ({"limit": 1}, {"limit": 100}, {"offset": 0}, {"offset": 10**9}):
        assert listed(**parameters).status_code == 200


def test_a_cursor_goes_without_an_offset() -> None:
    make_products(3)
    cursor = listed(limit=1).json()["pagination"]["next_cursor"]

    assert listed(cursor=cursor).status_code == 200
    assert listed(cursor=cursor, offset=0).json()["error"]["code"] == "invalid_cursor"


def test_a_total_is_an_estimate_where_counting_would_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    make_products(12)
    monkeypatch.setattr(counting, "EXACT_TOTAL", 12)
    assert "total_is_estimate" not in listed().json()["pagination"]

    monkeypatch.setattr(counting, "EXACT_TOTAL", 11)
    told = listed().json()["pagination"]

    assert told["total_is_estimate"] is True
    assert told["total"] >= 12


def test_a_list_costs_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_products(30)

    with django_assert_num_queries(2):
        listed()


def test_filters_narrow_the_list_and_its_total() -> None:
    make_products(3)
    Product.objects.filter(code="p1").update(audience="PARTNER")

    assert listed(audience="PARTNER").json()["pagination"]["total"] == 1
    assert listed(created_after="2999-01-01T00:00:00Z").json()["data"] == []
    assert len(listed(created_after="2026-01-01T08:00:00+08:00").json()["data"]) == 3


def test_an_enum_filters_unknown_value_is_told_with_the_words_there_are() -> None:
    told = listed(audience="NOBODY").json()["error"]

    assert told["message"] == "Invalid audience 'NOBODY'. Valid audiences are: INTERNAL, EXTERNAL, PARTNER"
    assert told["param"] == "audience"


def test_an_action_takes_the_parameters_it_declares_and_no_others() -> None:
    product = make_product()
    path = f"/v1/products/{product.pk}/shout"

    assert api().get(path).json() == {"shout": "LLM"}
    assert api().get(path, {"times": 2}).json() == {"shout": "LLMLLM"}
    assert api().get(path, {"times": 4}).json()["error"]["code"] == "invalid_times"
    assert api().get(path, {"limit": 4}).json()["error"]["code"] == "unknown_field"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SaaS", ["SaaS"]),
        ("25", ["25", 25]),
        ("-1.5", ["-1.5", -1.5]),
        ("true", ["true", True]),
        ("1.2.3", ["1.2.3"]),
        ("٣", ["٣"]),
        ("9" * 400, ["9" * 400]),
        ("", [""]),
        (".", ["."]),
    ],
)
def test_a_metadata_filter_means_text_and_what_the_text_spells(text: str, values: list[Any]) -> None:
    assert spellings(text) == values
