"""Every error is the same envelope, and none tells what is inside."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client

from catalog.models import Product
from config.api.validation import plural
from tests.config.api_desk import SECRET, api, make_product, new_product

pytestmark = [pytest.mark.urls("tests.config.api_desk"), pytest.mark.django_db]

UNKNOWN = "prod_01h455vb4pex5vsknk084sn02q"


def error(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()["error"]
    assert told["request_id"] == answer["X-Request-ID"]
    return told


@pytest.mark.parametrize(
    "path", [UNKNOWN, "prod_unknown", "cust_01h455vb4pex5vsknk084sn02q", "x.y", "%00", "%ff", "ä", "a%0A"]
)
def test_an_unknown_or_malformed_id_in_the_path_is_not_found(path: str) -> None:
    answer = api().get(f"/v1/products/{path}")

    assert answer.status_code == 404
    assert (error(answer)["code"], error(answer)["type"]) == ("product_not_found", "not_found_error")


def test_the_message_names_the_object() -> None:
    assert error(api().get("/v1/products/prod_unknown"))["message"] == "Product prod_unknown not found"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/products/", "/v1/products/a/b/c"])
def test_an_unknown_address_of_the_api_answers_json(path: str) -> None:
    answer = api().get(path)

    assert (answer.status_code, error(answer)["code"]) == (404, "not_found")


def test_an_unknown_address_elsewhere_answers_html() -> None:
    answer = Client().get("/v10")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_an_address_does_not_take_is_405_with_allow(method: str) -> None:
    answer = api().generic(method, "/v1/products")

    assert (answer.status_code, error(answer)["type"]) == (405, "method_not_allowed_error")
    assert answer["Allow"] == "GET, POST, HEAD"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "authentication_required"),
        ({"HTTP_AUTHORIZATION": ""}, "authentication_required"),
        ({"HTTP_AUTHORIZATION": "Bearer nobody"}, "invalid_api_key"),
        ({"HTTP_AUTHORIZATION": "Bearer"}, "invalid_api_key"),
        ({"HTTP_AUTHORIZATION": "Bearer two words"}, "invalid_api_key"),
        ({"HTTP_AUTHORIZATION": "Basic all"}, "invalid_api_key"),
        ({"HTTP_AUTHORIZATION": "Bearer äöü\x00"}, "invalid_api_key"),
        ({"HTTP_AUTHORIZATION": f"Bearer {'x' * 10_000}"}, "invalid_api_key"),
    ],
)
def test_without_a_known_key_nothing_is_told(headers: dict[str, Any], code: str) -> None:
    answer = Client().get("/v1/products", **headers)

    assert (answer.status_code, error(answer)["code"]) == (401, code)
    assert error(answer)["type"] == "authentication_error"
    assert answer["WWW-Authenticate"] == 'Bearer realm="meterdesk"'


def test_a_key_without_the_scope_is_told_which_it_lacks() -> None:
    assert api("reader").get("/v1/products").status_code == 200

    answer = api("reader").post("/v1/products", new_product())

    assert (answer.status_code, error(answer)["code"]) == (403, "insufficient_scope")
    assert error(answer)["details"] == {"required": "catalog:write"}
    assert Product.objects.count() == 0


def test_a_view_that_declares_no_scope_lets_nobody_in() -> None:
    answer = api().get("/v1/undeclared")

    assert (answer.status_code, error(answer)["code"]) == (403, "insufficient_scope")


def test_an_enums_unknown_value_is_told_with_the_words_there_are() -> None:
    answer = api().post("/v1/products/quote", {"tier": "ultra"})

    assert answer.status_code == 400
    told = error(answer)
    assert told["code"] == "invalid_tier"
    assert told["message"] == "Invalid tier 'ultra'. Valid tiers are: free, developer, startup, enterprise"
    assert (told["type"], told["param"]) == ("validation_error", "tier")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"amount": "NaN"}, "amount", "invalid_amount"),
        ({"amount": True}, "amount", "invalid_amount"),
        ({"amount": [1]}, "amount", "invalid_amount"),
        ({"amount": "1e400"}, "amount", "invalid_amount"),
        ({"amount": "1e50"}, "amount", "invalid_amount"),
        ({"amount": 10**18}, "amount", "invalid_amount"),
        ({"amount": "0.0000000000001"}, "amount", "invalid_amount"),
        ({"amount": -1}, "amount", "invalid_amount"),
        ({"amount": " 1"}, "amount", "invalid_amount"),
        ({"amount": "١"}, "amount", "invalid_amount"),
        ({"amount": None}, "amount", "invalid_amount"),
        ({"at": "2026-02-21T10:00:00"}, "at", "invalid_at"),
        ({"at": "2026-02-21"}, "at", "invalid_at"),
        ({"at": "2026-02-31T10:00:00Z"}, "at", "invalid_at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at", "invalid_at"),
        ({"at": "9999-12-31T23:59:59Z"}, "at", "invalid_at"),
        ({"at": 1}, "at", "invalid_at"),
        ({"currency": "usd"}, "currency", "invalid_currency"),
        ({"currency": "XAU"}, "currency", "invalid_currency"),
        ({"currency": 1}, "currency", "invalid_currency"),
        ({"tier": ["free"]}, "tier", "invalid_tier"),
        ({"tier": True}, "tier", "invalid_tier"),
        ({"metadata": []}, "metadata", "invalid_metadata"),
        ({"metadata": {"": 1}}, "metadata", "invalid_metadata"),
        ({"metadata": {"k" * 41: 1}}, "metadata", "invalid_metadata"),
        ({"metadata": {"k": "v" * 501}}, "metadata", "invalid_metadata"),
        ({"metadata": {"k": {}}}, "metadata", "invalid_metadata"),
        ({"metadata": {"k": None}}, "metadata", "invalid_metadata"),
        ({"metadata": {str(number): 1 for number in range(51)}}, "metadata", "invalid_metadata"),
        ({"note": 5}, "note", "invalid_note"),
        ({"note": "x" * 21}, "note", "invalid_note"),
        ({"count": "5"}, "count", "invalid_count"),
        ({"count": True}, "count", "invalid_count"),
        ({"count": 5.5}, "count", "invalid_count"),
        ({"exact": "yes"}, "exact", "invalid_exact"),
        ({"exact": 1}, "exact", "invalid_exact"),
        ({"lines": {}}, "lines", "invalid_lines"),
        ({"lines": [1]}, "lines[0]", "invalid_lines"),
        ({"lines": [{"units": 1}]}, "lines[0].product", "required"),
        ({"lines": [{"units": 1, "product": "x"}]}, "lines[0].product", "invalid_product"),
        ({"lines": [{"units": 1, "product": {}}]}, "lines[0].product", "invalid_product"),
        ({"lines": [{"units": 1, "product": UNKNOWN, "colour": 1}]}, "lines[0].colour", "unknown_field"),
        ({"lines": [{"units": 0, "product": UNKNOWN}]}, "lines[0].units", "invalid_units"),
        ({"lines": [{"units": 1, "product": UNKNOWN, "tags": [1]}]}, "lines[0].tags", "invalid_tags"),
        ({"lines": [{"units": 1, "product": UNKNOWN, "tags": ["a", "b" * 11]}]}, "lines[0].tags[1]", "invalid_tags"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(body: dict[str, Any], param: str, code: str) -> None:
    answer = api().post("/v1/products/quote", body)

    assert answer.status_code == 400, answer.json()
    assert (error(answer)["param"], error(answer)["code"]) == (param, code)
    assert error(answer)["details"]["fields"][0]["code"] == code


@pytest.mark.parametrize(
    ("body", "understood"),
    [
        ({"amount": "1.50"}, {"amount": 1.5}),
        ({"amount": 999999999999999999}, {"amount": 999999999999999999}),
        ({"amount": "0.000000000001"}, {"amount": 1e-12}),
        ({"amount": "1e3"}, {"amount": 1000}),
        ({"at": "2026-02-21T18:00:00+08:00"}, {"at": "2026-02-21T10:00:00Z"}),
        ({"currency": "JPY"}, {"currency": "JPY"}),
        ({"metadata": {"a": "x", "b": 1.5, "c": True, "d": 7}}, {"metadata": {"a": "x", "b": 1.5, "c": True, "d": 7}}),
        ({"note": None}, {"note": None}),
        ({"count": 5, "exact": False}, {"count": 5, "exact": False}),
        ({"lines": []}, {"lines": []}),
    ],
)
def test_the_allowed_neighbours_are_understood(body: dict[str, Any], understood: dict[str, Any]) -> None:
    answer = api().post("/v1/products/quote", body)

    assert (answer.status_code, answer.json()) == (200, understood)


def test_all_invalid_fields_are_told_and_the_first_is_the_headline() -> None:
    answer = api().post("/v1/products", {"name": "", "colour": "red", "id": "prod_1", "product_type": "CAKE"})

    told = error(answer)
    assert [(one["param"], one["code"]) for one in told["details"]["fields"]] == [
        ("code", "required"),
        ("name", "invalid_name"),
        ("product_type", "invalid_product_type"),
        ("colour", "unknown_field"),
        ("id", "unknown_field"),
    ]
    assert (told["code"], told["param"]) == ("required", "code")


def test_a_reference_to_an_object_that_is_not_there_is_404_with_its_place() -> None:
    answer = api().post("/v1/products/quote", {"lines": [{"units": 1, "product": UNKNOWN}]})

    assert answer.status_code == 404
    told = error(answer)
    assert (told["code"], told["param"]) == ("product_not_found", "lines[0].product")
    assert told["message"] == f"Product {UNKNOWN} not found"


def test_a_reference_to_an_object_is_its_id_again() -> None:
    product = make_product()

    answer = api().post("/v1/products/quote", {"lines": [{"units": "2", "product": product.pk}]})

    assert answer.json() == {"lines": [{"product": product.pk, "units": 2}]}


def test_a_refusal_of_the_domain_keeps_its_code_and_details() -> None:
    product = make_product()

    answer = api().post(f"/v1/products/{product.pk}/advance", {"to": "GA"})

    assert (answer.status_code, error(answer)["code"]) == (409, "invalid_stage_transition")
    assert error(answer)["details"]["allowed"] == ["BETA"]


def test_a_body_where_none_is_taken_is_refused() -> None:
    product = make_product()

    assert error(api().post("/v1/products/key", {"a": 1}))["code"] == "unknown_field"
    assert error(api().delete(f"/v1/products/{product.pk}", {"a": 1}))["code"] == "unknown_field"
    assert api().post("/v1/products/key", {}).status_code == 200
    assert api().delete(f"/v1/products/{product.pk}").status_code == 200


def test_a_failure_of_ours_tells_nothing_and_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = api(raise_request_exception=False).post("/v1/products/broken", new_product())

    assert (answer.status_code, error(answer)["code"]) == (500, "internal_error")
    assert SECRET not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    assert Product.objects.count() == 0
    logged = "\n".join(str(record.msg) for record in caplog.records)
    assert answer["X-Request-ID"] in logged
    assert "request_failed" in logged


def test_an_answer_that_cannot_be_printed_undoes_what_it_told_of() -> None:
    answer = api(raise_request_exception=False).post("/v1/products/unprintable", new_product())

    assert answer.status_code == 500
    assert Product.objects.count() == 0


def test_the_loser_of_a_race_for_a_unique_value_is_a_conflict() -> None:
    answer = api().post("/v1/race", {})

    assert (answer.status_code, error(answer)["code"]) == (409, "concurrent_change")
    assert Product.objects.count() == 0


def test_more_parameters_than_django_reads_are_refused() -> None:
    answer = api().get("/v1/products?" + "&".join(f"a{number}=1" for number in range(20_001)))

    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_request")


def test_a_host_that_is_not_ours_is_refused_in_json() -> None:
    answer = api().get("/v1/products", HTTP_HOST="evil.example")

    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("given", ["abc-1.2_3", "x" * 128])
def test_a_sane_request_id_is_kept(given: str) -> None:
    assert api().get("/v1/products", HTTP_X_REQUEST_ID=given)["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\r\nSet-Cookie: x", "ä"])
def test_any_other_request_id_is_replaced(given: str) -> None:
    answer = api().get("/v1/products", HTTP_X_REQUEST_ID=given)

    assert answer["X-Request-ID"] != given
    assert len(answer["X-Request-ID"]) == 36


def test_the_format_an_integrator_accepts_changes_nothing() -> None:
    answer = api().get("/v1/products", HTTP_ACCEPT="text/html, ;;")

    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content)["data"] == []


def test_plurals() -> None:
    assert [plural(noun) for noun in ("tier", "status", "currency")] == ["tiers", "statuses", "currencies"]
    assert plural("group by") == "group by values"
