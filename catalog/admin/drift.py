"""What differs between a gateway and our record, side by side, and what a restore would do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from catalog.models import GatewayMapping
from config.kernel.admin import ActionForm
from config.kernel.admin.columns import NOTHING

#: How many rows of differences a page shows, and of how many mappings a confirmation page tells what will be done.
SHOWN_ROWS = 200
SHOWN_MAPPINGS = 20


@dataclass(frozen=True, kw_only=True)
class Row:
    """One value that differs, in words."""

    label: str
    field: str
    record: str
    gateway: str


def rows_of(drift: Sequence[dict[str, Any]]) -> list[Row]:
    """Return a row for every value that differs; an object that is missing on one side has one for each of its own."""
    return [
        Row(label=one["label"], field=field or "whole", record=in_words(record), gateway=in_words(gateway))
        for one in drift
        for field, record, gateway in leaves(one["field"], one["record"], one["gateway"])
    ]


def leaves(path: str, record: Any, gateway: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the single values within two that differ, by their path."""
    sides = [one for one in (record, gateway) if isinstance(one, dict)]
    if not sides or not all(one is None or isinstance(one, dict) for one in (record, gateway)):
        yield path, record, gateway
        return
    for name in dict.fromkeys(name for side in sides for name in side):
        below = f"{path}.{name}" if path else name
        yield from leaves(below, (record or {}).get(name), (gateway or {}).get(name))


def in_words(value: Any) -> str:
    """Return a value as an operator reads it."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(one)}" for name, one in value.items())
    return str(value)


def steps_of(drift: Sequence[dict[str, Any]]) -> list[str]:
    """Return what a restore would do, a sentence an object."""
    steps: dict[tuple[str, str], str] = {}
    for one in drift:
        name = one["kind"], one["key"]
        if one["field"]:
            change = f"{one['field']} {in_words(one['gateway'])} → {in_words(one['record'])}"
            steps[name] = f"{steps[name]}, {change}" if name in steps else f"Change {one['label']}: {change}"
        else:
            steps[name] = f"{'Remove' if one['record'] is None else 'Make'} {one['label']}"
    return list(steps.values())


def told(drift: Sequence[dict[str, Any]]) -> str:
    """Return all that differs in one line, as the history tells it."""
    return "; ".join(
        f"{row.label}, {row.field}: ours {row.record}, gateway {row.gateway}" for row in rows_of(drift)[:SHOWN_ROWS]
    )


class RestoreForm(ActionForm):
    """Says of every mapping what will be done at its gateway."""

    outlook_template: ClassVar[str] = "catalog/restore_outlook.html"

    @property
    def mappings(self) -> list[GatewayMapping]:
        """The mappings that the restore is about."""
        return list(self.objects)

    @property
    def outlooks(self) -> list[tuple[GatewayMapping, list[str]]]:
        """The first mappings with the steps that the last check found missing."""
        return [(mapping, steps_of(mapping.drift)) for mapping in self.mappings[:SHOWN_MAPPINGS]]

    @property
    def unshown(self) -> int:
        """How many mappings more there are."""
        return max(0, len(self.mappings) - SHOWN_MAPPINGS)


class RestoreEverythingForm(RestoreForm):
    """The same of everything that is mapped to the gateways."""

    @property
    def mappings(self) -> list[GatewayMapping]:
        """The mappings of the gateways."""
        found = GatewayMapping.objects.filter(gateway__in=self.objects).select_related("product", "gateway")
        return list(found.order_by("id"))
