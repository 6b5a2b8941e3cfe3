"""Locks: every app says why some fields of an object of its own or a lower app have to stay as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models

ModelT = TypeVar("ModelT", bound=models.Model)

_locks: dict[type[models.Model], list[Callable[[Any], str | None]]] = defaultdict(list)


def register_lock(model: type[ModelT], lock: Callable[[ModelT], str | None]) -> None:
    """
    Ask ``lock`` what the object has that keeps fields as they are (``subscriptions``); called once at start-up.

    None means that it knows of nothing.
    """
    if lock not in _locks[model]:
        _locks[model].append(lock)


def lock_reason(obj: models.Model) -> str | None:
    """Return what ``obj`` has that locks fields, the first that any app names; None where nothing does."""
    return next((reason for lock in _locks[type(obj)] if (reason := lock(obj))), None)
