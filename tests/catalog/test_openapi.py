"""Reading OpenAPI documents of strangers: what they describe comes out, and whatever else they are is refused."""

from __future__ import annotations

import json
import time

import pytest

from catalog.openapi import UnreadableDocument, read_document
from catalog.openapi.checking import check_document
from catalog.openapi.outline import MAX_OPERATIONS, outline
from catalog.openapi.parsing import MAX_BYTES, MAX_DEPTH, parse_document
from tests.catalog.openapi import BOMB, PETS, YAML, document, with_schema
from tests.web import site

PET = {"$ref": "#/components/schemas/Pet"}


def test_a_document_becomes_documentation() -> None:
    read = read_document(document())

    assert {name: read[name] for name in ("openapi", "title", "version", "description", "servers", "schemas")} == {
        "openapi": "3.1.0", "title": "Pets", "version": "2.1", "description": "All about pets.",
        "servers": PETS["servers"], "schemas": PETS["components"]["schemas"],
    }  # fmt: skip
    pets, rest = read["tags"]
    assert (pets["name"], pets["description"], rest["name"]) == ("pets", "What there is", "default")
    get, put = pets["operations"]
    parameter = {"name": "id", "in": "path", "required": True, "deprecated": False, "description": ""}
    assert get == {
        "method": "GET", "path": "/pets/{id}", "operation_id": "getPet", "summary": "Return a pet", "description": "",
        "deprecated": False, "parameters": [{**parameter, "schema": {"type": "integer"}}], "request": None,
        "responses": [
            {"status": "200", "description": "The pet", "content": [{"media_type": "application/json", "schema": PET}]},
            {"status": "404", "description": "No such pet", "content": []},
        ],
    }  # fmt: skip
    assert (put["method"], put["deprecated"]) == ("PUT", True)
    assert put["request"] == {
        "description": "", "required": True, "content": [{"media_type": "application/json", "schema": PET}]
    }  # fmt: skip
    assert [(one["name"], one["description"], one["schema"]) for one in put["parameters"]] == [
        ("id", "Its own", {"type": "string"}),
        ("dry", "", {"type": "boolean"}),
    ]
    assert [(one["method"], one["path"]) for one in rest["operations"]] == [("GET", "/health")]


def test_yaml_is_read_with_the_scalars_of_json() -> None:
    read = read_document(YAML)

    [operation] = read["tags"][0]["operations"]
    assert (read["title"], read["version"], operation["path"]) == ("Yes", "1.0", "/on")
    assert operation["responses"] == [{"status": "200", "description": "2026-11-21", "content": []}]
    values = parse_document(b"a: [on, 17, 017, 1e3, -0.5, ~, true, '1', 0x1F, 12:30, 1_000]")
    assert values == {"a": ["on", 17, "017", 1000.0, -0.5, None, True, "1", "0x1F", "12:30", "1_000"]}


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.2"])
def test_every_openapi_3_is_taken(version: str) -> None:
    check_document(json.loads(document(openapi=version)))


REFUSED = [
    (BOMB, "uses YAML aliases"),
    (b"a: &x 1\nb: *x", "uses YAML aliases"),
    (b"x" * (MAX_BYTES + 1), "larger than 5 MiB"),
    (b"\xff\xfe", "not text in UTF-8"),
    (b"<!DOCTYPE html><html></html>", "HTML or XML"),
    (b"", "not a mapping"),
    (b"just text", "not a mapping"),
    (b"[1, 2]", "not a mapping"),
    (b'{"a": [1, 2', "neither JSON nor YAML"),
    (b"a: [1\nb: 2", "neither JSON nor YAML"),
    (b'{"hello": "world"}', "not OpenAPI 3"),
    (b'{"swagger": "2.0"}', "Swagger 2"),
    (document(openapi="4.0.0"), "is OpenAPI 4.0.0"),
    (document(openapi="3.9.0"), "is OpenAPI 3.9.0"),
    (document(openapi=3), "not OpenAPI 3"),
    (document(info={"title": "T"}), "at info: 'version' is a required property"),
    (document(paths={"pets": {}}), "not valid OpenAPI 3.1.0: at paths"),
    (document(paths=[]), "not valid OpenAPI 3.1.0: at paths"),
    (document(info={"title": "\0", "version": "1"}), "a character that cannot be kept"),
    (document(info={"title": "\ud800", "version": "1"}), "a character that cannot be kept"),
    (document(**{"x-\0": 1}), "a character that cannot be kept"),
    (document(**{"x-big": 10**30}), "a number beyond all bounds"),
    (document(**{"x-nan": float("nan")}), "NaN is not a number of JSON"),
    (b'{"a": 1e999}', "a number beyond all bounds"),
    (b"a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
    (b"a: !!binary aGVsbG8=", "a value that JSON has not"),
    (b"? [1, 2]\n: 3", "neither JSON nor YAML"),
    (b'{"a": ' * 100_000, f"more than {MAX_DEPTH} levels"),
    (b"a: " + b"[" * 100_000, f"more than {MAX_DEPTH} levels"),
    (b"a:\n" + b"- x\n" * 500_000, "more than 400000 values"),
    (b'{"a": [' + b"1," * 500_000 + b"1]}", "more than 400000 values"),
    (with_schema(**{"$ref": "#/components/schemas/Nowhere"}), "refers to what it does not hold"),
    (with_schema(**{"$ref": "other.yaml#/Pet"}), "refers to another one"),
    (with_schema(**{"$ref": "file:///etc/passwd"}), "refers to another one"),
    (with_schema(type="string", pattern="(["), "is not a 'regex'"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "complaint"), REFUSED)
def test_what_is_no_openapi_is_refused_in_words_and_soon(body: bytes, complaint: str) -> None:
    begun = time.monotonic()

    with pytest.raises(UnreadableDocument) as refusal:
        read_document(body)

    assert complaint in str(refusal.value)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("key", ["$ref", "$id", "$schema", "$dynamicRef"])
def test_no_address_in_a_document_is_called(key: str) -> None:
    with site() as canary:
        with pytest.raises(UnreadableDocument, match="another"):
            read_document(with_schema(**{key: canary.url("/schema.json")}))
        with pytest.raises(UnreadableDocument, match="another"):
            read_document(document(jsonSchemaDialect=canary.url("/dialect.json")))

        assert canary.connections == 0


def test_a_pattern_that_computes_for_ever_is_given_up() -> None:
    endless = with_schema(type="string", pattern="^(a+)+$", default="a" * 60 + "!")
    begun = time.monotonic()

    with pytest.raises(UnreadableDocument, match="took too long"):
        read_document(endless, timeout_s=5)
    assert time.monotonic() - begun < 20
    assert read_document(with_schema(type="string", pattern="^(a+)+$", default="aaa"))["title"] == "Pets"


def test_what_many_operations_share_is_not_written_out_without_end() -> None:
    large = {"name": "id", "in": "path", "required": True, "description": "x" * 100_000, "schema": {"type": "string"}}
    get = {"responses": {"200": {"description": "Fine"}}}
    shared = {"parameters": [{"$ref": "#/components/parameters/Id"}], "get": get}

    def described(count: int, parameter: dict[str, object]) -> bytes:
        paths = {f"/{number}/{{id}}": shared for number in range(count)}
        return document(paths=paths, components={"parameters": {"Id": parameter}})

    assert len(outline(json.loads(described(50, large)))["tags"][0]["operations"]) == 50
    with pytest.raises(UnreadableDocument, match="more operations than can be shown"):
        outline(json.loads(described(200, large)))
    with pytest.raises(UnreadableDocument, match="more operations than can be shown"):
        outline(json.loads(described(MAX_OPERATIONS + 1, {**large, "description": ""})))


def test_references_that_go_round_in_circles_end() -> None:
    circle = {"parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}}
    read = outline({"openapi": "3.1.0", "components": circle, "paths": {
        "/": {"parameters": [{"$ref": "#/components/parameters/A"}], "get": {}}
    }})  # fmt: skip

    assert read["tags"][0]["operations"][0]["parameters"][0]["name"] == ""
