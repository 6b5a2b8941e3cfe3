"""Compare what a gateway has with our record, and order the steps between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.gateways.interface import Change, Difference, Resource


def changes_between(live: Sequence[Resource], desired: Sequence[Resource]) -> list[Change]:
    """
    Return the steps that make ``live`` what is ``desired``, none where they agree.

    What is wanted comes in its own order, which adapters choose so that every beginning of it is safe; what has to go
    comes last, in the reverse order of its making.
    """
    found = {(one.kind, one.key): one for one in live}
    wanted = {(one.kind, one.key): one for one in desired}
    changes = []
    for name, resource in wanted.items():
        there = found.get(name)
        differences = tuple(_differences(resource, there))
        if differences or there is None:
            changes.append(Change(wanted=resource, found=there, differences=differences))
    for name, there in reversed(found.items()):
        if name not in wanted:
            changes.append(Change(wanted=None, found=there, differences=tuple(_differences(None, there))))
    return changes


def _differences(wanted: Resource | None, found: Resource | None) -> Iterator[Difference]:
    """Yield the fields that differ, nested ones by their path; a resource that is missing is one difference."""
    one = wanted or found
    assert one is not None
    about = {"kind": one.kind, "key": one.key, "label": one.label}
    if wanted is None or found is None:
        yield Difference(**about, field="", record=wanted and dict(wanted.fields), gateway=found and dict(found.fields))
        return
    for path, record, gateway in _unequal(wanted.fields, found.fields, ""):
        yield Difference(**about, field=path, record=record, gateway=gateway)


def _unequal(record: Any, gateway: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(record, Mapping) and isinstance(gateway, Mapping):
        for name in sorted(record.keys() | gateway.keys()):
            yield from _unequal(record.get(name), gateway.get(name), f"{path}.{name}" if path else name)
    elif record != gateway:
        yield path, record, gateway
