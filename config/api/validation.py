"""Errors of serializers and filters, told field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import ErrorDetail

from config.api.json import printable

#: Codes that stand as they are; every other one of a field becomes ``invalid_<field>``.
OWN_CODES = frozenset({"required", "unknown_field", "duplicate_key"})

NOT_FOUND = "_not_found"

#: Keys under which Django and DRF file what concerns no single field.
WHOLE = frozenset({"non_field_errors", "__all__"})


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One thing wrong: where (``charges[0].metric``; None for the body as a whole), which code, a sentence."""

    param: str | None
    code: str
    message: str

    @property
    def is_missing_object(self) -> bool:
        """Whether the value is well formed, but names an object that does not exist."""
        return self.code.endswith(NOT_FOUND)

    def document(self) -> dict[str, Any]:
        """Return it as the API prints it."""
        return {"param": self.param, "code": self.code, "message": self.message}


def field_errors(detail: Any) -> list[FieldError]:
    """Return what DRF's ``ValidationError.detail`` says, a line each: first what is malformed, then missing objects."""
    found = [_field_error(path, error) for path, error in _leaves(detail, ())]
    return sorted(found, key=lambda error: error.is_missing_object)


def _leaves(detail: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], ErrorDetail]]:
    """Yield every message with its path; a list of messages belongs to its parent, a list of dicts is indexed."""
    if isinstance(detail, Mapping):
        for key, below in detail.items():
            yield from _leaves(below, path if key in WHOLE else (*path, key))
    elif isinstance(detail, list | tuple):
        for index, below in enumerate(detail):
            is_item = isinstance(below, Mapping | list | tuple)
            yield from _leaves(below, (*path, index) if is_item else path)
    else:
        yield path, detail if isinstance(detail, ErrorDetail) else ErrorDetail(str(detail), code="invalid")


def _field_error(path: tuple[str | int, ...], error: ErrorDetail) -> FieldError:
    name = next((part for part in reversed(path) if isinstance(part, str)), None)
    told = error.code or ""
    if told in OWN_CODES or told.endswith(NOT_FOUND):
        code = told
    else:
        code = f"invalid_{printable(name, 60)}" if name else "invalid_body"
    return FieldError(param=_dotted(path), code=code, message=str(error))


def _dotted(path: tuple[str | int, ...]) -> str | None:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{printable(part)}" if text else printable(part)
    return text or None


def plural(noun: str) -> str:
    """Return the plural of a field's name for a message: tiers, statuses, currencies, group by values."""
    if noun.endswith(" by"):
        return f"{noun} values"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def unknown_choice(field: str, value: object, choices: list[str]) -> str:
    """Return the sentence for an enum's unknown value: ``Invalid tier 'ultra'. Valid tiers are: free, developer``."""
    noun = field.replace("_", " ")
    quoted = f" '{printable(value)}'" if isinstance(value, str) else ""
    return f"Invalid {noun}{quoted}. Valid {plural(noun)} are: {', '.join(choices)}"
