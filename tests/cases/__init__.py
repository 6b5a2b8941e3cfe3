"""Read the worked examples: facts and figures from outside, against which our arithmetic is checked."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """
    One worked example: what is ``given``, what to ``expect``, and ``why``.

    The shapes of ``given`` and ``expect`` follow from ``area``; each file's ``conventions`` explain the words used.
    ``source`` names project, licence, commit and path of the fact.
    """

    id: str
    area: str
    title: str
    given: dict[str, Any]
    expect: dict[str, Any]
    why: str
    source: dict[str, str | None]

    def __str__(self) -> str:
        """Return the id, by which pytest names the test."""
        return self.id


def load_cases(name: str) -> list[Case]:
    """
    Return the cases of ``cases-<name>.json`` in the file's order.

    Raises:
        FileNotFoundError: there is no such file beside this module.
    """
    document = json.loads((FOLDER / f"cases-{name}.json").read_text(encoding="utf-8"))
    return [_case(raw) for raw in document["cases"]]


def _case(raw: dict[str, Any]) -> Case:
    """Return one case without the note whether its figure was recomputed, which no test needs."""
    return Case(**{key: value for key, value in raw.items() if key != "recomputed"})
