"""OpenAPI documents for tests."""

from __future__ import annotations

import json
from typing import Any

PETS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "2.1", "description": "All about pets."},
    "servers": [{"url": "https://pets.example.com/v2", "description": "Live"}],
    "tags": [{"name": "pets", "description": "What there is"}],
    "paths": {
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "tags": ["pets"],
                "operationId": "getPet",
                "summary": "Return a pet",
                "responses": {
                    "200": {
                        "description": "The pet",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                    },
                    "404": {"$ref": "#/components/responses/Gone"},
                },
            },
            "put": {
                "tags": ["pets"],
                "deprecated": True,
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "description": "Its own",
                        "schema": {"type": "string"},
                    },
                    {"name": "dry", "in": "query", "content": {"application/json": {"schema": {"type": "boolean"}}}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                },
                "responses": {"204": {"description": "Done"}},
            },
        },
        "/health": {"get": {"responses": {"default": {"description": "Fine"}}}},
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "responses": {"Gone": {"description": "No such pet"}},
        "schemas": {
            "Pet": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Pet"}},
            }
        },
    },
}


def document(**changes: Any) -> bytes:
    """Return the pets' document as JSON, with other values at its top."""
    return json.dumps({**PETS, **changes}).encode()


def with_schema(**schema: Any) -> bytes:
    """Return a document with one schema in it."""
    return document(components={**PETS["components"], "schemas": {"Pet": {"type": "object"}, "Odd": schema}})


YAML = b"""
openapi: 3.0.3
info: {title: Yes, version: '1.0'}
paths:
  /on:
    get:
      responses:
        200: {description: 2026-11-21}
"""

BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b", ".join([b"*%c" % (name - 1)] * 9)) for name in range(ord("b"), ord("j"))
)
