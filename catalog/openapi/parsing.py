"""From bytes to a mapping: JSON or YAML, of bounded size and depth, without aliases and without a word of Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from catalog.openapi.refusals import UnreadableDocument

MAX_BYTES = 5 * 2**20
MAX_DEPTH = 64
MAX_NODES = 400_000
#: Beyond it is no number that all who read JSON know; infinity is beyond it, and so is what is no number.
BOUND = 2**63

#: YAML's JSON schema (YAML 1.2, chapter 10.2), which OpenAPI asks for: no dates, no «yes» and «no», no octal numbers.
SCALARS = (
    ("bool", r"true|false|True|False|TRUE|FALSE", "tTfF"),
    ("int", r"-?(0|[1-9][0-9]{0,60})", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]{0,60})(\.[0-9]{0,60})?([eE][-+]?[0-9]{1,3})?", "-0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
)


class JsonLoader(yaml.CSafeLoader):
    """YAML's own safe loader, which knows the scalars of JSON and no others."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _name, _pattern, _firsts in SCALARS:
    JsonLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern})\Z"), [*_firsts, ""])


def parse_document(body: bytes) -> dict[str, Any]:
    """
    Return the mapping that ``body`` spells; its keys are text, its values those of JSON.

    Raises:
        UnreadableDocument: it spells none, or is larger, deeper or more entangled than a description of an API is.
    """
    if len(body) > MAX_BYTES:
        raise UnreadableDocument(f"The document is larger than {MAX_BYTES // 2**20} MiB")
    try:
        text = body.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        raise UnreadableDocument("The document is not text in UTF-8") from error
    if text.startswith("<"):
        raise UnreadableDocument("The document is HTML or XML, not OpenAPI in JSON or YAML")
    value = _json(text) if text.startswith("{") else _yaml(text)
    if not isinstance(value, dict):
        raise UnreadableDocument("The document is not a mapping, as OpenAPI is")
    found: dict[str, Any] = _plain(value)
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_constant)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        if isinstance(error, UnreadableDocument):
            raise
        # A flow mapping of YAML begins like a JSON object too.
        return _yaml(text)


def _constant(name: str) -> NoReturn:
    raise UnreadableDocument(f"{name} is not a number of JSON")


def _yaml(text: str) -> Any:
    try:
        _measure(text)
        return yaml.load(text, Loader=JsonLoader)  # noqa: S506 - derived from the safe one.
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise UnreadableDocument(f"The document is neither JSON nor YAML: {problem}{where}") from error
    except (ValueError, TypeError) as error:
        if isinstance(error, UnreadableDocument):
            raise
        raise UnreadableDocument(f"The document holds a value that JSON has not: {error}") from error


def _measure(text: str) -> None:
    """Refuse aliases, depth and length before anything is built: an alias can stand for any amount of text."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=JsonLoader):
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableDocument("The document uses YAML aliases (*name), which are not taken")
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _too_deep()
        if nodes > MAX_NODES:
            raise _too_many()


def _plain(value: Any) -> Any:
    """Return ``value`` with keys as text, once it is clear that JSON can spell it and PostgreSQL can keep it."""
    level, nodes = [value], 0
    for _ in range(MAX_DEPTH + 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise _too_many()
        level = [below for one in level for below in _below(one)]
        if not level:
            return _keyed(value)
    raise _too_deep()


def _below(value: Any) -> Iterator[Any]:
    """Yield what stands directly in ``value``; refuse it where it is no value of JSON."""
    if isinstance(value, dict):
        for key, one in value.items():
            _check_text(str(key))
            yield one
    elif isinstance(value, list):
        yield from value
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int | float) and not abs(value) < BOUND:
        raise UnreadableDocument("The document holds a number beyond all bounds")
    elif not isinstance(value, int | float | None):
        raise UnreadableDocument("The document holds a value that JSON has not")


def _check_text(text: str) -> None:
    if "\0" in text or (not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text)):
        raise UnreadableDocument("The document holds a character that cannot be kept")


def _keyed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _keyed(one) for key, one in value.items()}
    return [_keyed(one) for one in value] if isinstance(value, list) else value


def _key(key: object) -> str:
    """Return a key as JSON has it: in YAML a status code is a number."""
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return str(key)


def _too_deep() -> UnreadableDocument:
    return UnreadableDocument(f"The document is nested more than {MAX_DEPTH} levels deep")


def _too_many() -> UnreadableDocument:
    return UnreadableDocument(f"The document has more than {MAX_NODES} values")
