"""Whether a mapping is OpenAPI 3: asked of openapi-spec-validator, which is kept from calling anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from jsonschema_path.paths import SchemaPath
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator, OpenAPIV32SpecValidator
from referencing.exceptions import Unresolvable

from catalog.openapi.refusals import UnreadableDocument

VALIDATORS: dict[str, Any] = {
    "3.0": OpenAPIV30SpecValidator,
    "3.1": OpenAPIV31SpecValidator,
    "3.2": OpenAPIV32SpecValidator,
}

#: Keys by which a schema takes another address for its own, or asks for one to be read.
BASES = ("$id", "$schema", "jsonSchemaDialect", "$self")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "operationRef")
#: Dialects that the validator knows by heart.
KNOWN_DIALECTS = ("https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base")


def check_document(document: dict[str, Any]) -> None:
    """
    Return where ``document`` is OpenAPI 3.0, 3.1 or 3.2 that stands on its own.

    Raises:
        UnreadableDocument: it is not; the first thing that is wrong is named.
    """
    version = document.get("openapi")
    if not isinstance(version, str):
        hint = ": it is Swagger 2, which has to be converted first" if "swagger" in document else ""
        raise UnreadableDocument(f"The document is not OpenAPI 3{hint}")
    validator = VALIDATORS.get(".".join(version.split(".")[:2]))
    if validator is None:
        raise UnreadableDocument(f"The document is OpenAPI {version[:20]}; 3.0, 3.1 and 3.2 can be read")
    for key, value in _addresses(document):
        refuse_foreign(key, value)
    path = SchemaPath.from_dict(document, handlers=dict.fromkeys(("<all_urls>", "http", "https", "file", ""), _refuse))
    try:
        error = next(validator(path).iter_errors(), None)
    except Unresolvable as nowhere:
        raise UnreadableDocument(f"The document refers to what it does not hold: {str(nowhere.ref)[:200]}") from nowhere
    if error is not None:
        where = " > ".join(str(part) for part in error.absolute_path) or "the top"
        raise UnreadableDocument(
            f"The document is not valid OpenAPI {version}: at {where[:200]}: {error.message[:300]}"
        )


def refuse_foreign(key: str, value: object) -> None:
    """
    Refuse a reference that leads out of the document.

    Raises:
        UnreadableDocument: it does.
    """
    if key in REFERENCES and isinstance(value, str) and not value.startswith("#"):
        raise UnreadableDocument(f"The document refers to another one ({key}: {value[:100]}); bundle them into one")
    if key in BASES and isinstance(value, str) and value not in KNOWN_DIALECTS:
        raise UnreadableDocument(f"The document takes another address for its own ({key}: {value[:100]})")


def _addresses(value: Any) -> Iterator[tuple[str, object]]:
    """Yield the keys of the document that can hold addresses to be read, with what they hold."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from ((key, one[key]) for key in (*REFERENCES, *BASES) if key in one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _refuse(uri: str) -> NoReturn:
    raise UnreadableDocument(f"The document refers to another one ({uri[:100]})")
