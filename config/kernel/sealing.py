"""Secrets that have to be given back in clear, encrypted at rest with keys of their own and bound to their row."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models, transaction

#: Which columns hold what is sealed; said by every app at start-up, so that no secret is left behind by a new key.
_sealed: list[tuple[type[models.Model], str]] = []


class Unsealable(Exception):
    """What is kept cannot be read: the keys are others, or it was sealed for another row."""


def seal(value: Mapping[str, Any], *, bound_to: str) -> bytes:
    """Encrypt ``value`` (JSON) with the newest key, so that only who names the same row can read it."""
    return _fernet().encrypt(json.dumps({"bound_to": bound_to, "value": value}).encode())


def unseal(sealed: bytes, *, bound_to: str) -> dict[str, Any]:
    """
    Return what was sealed for the row ``bound_to``.

    Raises:
        Unsealable: no key of ``ENCRYPTION_KEYS`` opens it, or it belongs to another row.
    """
    try:
        kept = json.loads(_fernet().decrypt(bytes(sealed)))
    except InvalidToken as error:
        raise Unsealable("No key of ENCRYPTION_KEYS opens what is sealed here") from error
    if kept["bound_to"] != bound_to:
        raise Unsealable("What is sealed here belongs to another row")
    return dict(kept["value"])


def reseal(sealed: bytes) -> bytes:
    """
    Encrypt what is sealed again with the newest key; its binding stays.

    Raises:
        Unsealable: no key opens it.
    """
    try:
        return _fernet().rotate(bytes(sealed))
    except InvalidToken as error:
        raise Unsealable("No key of ENCRYPTION_KEYS opens what is sealed here") from error


def is_sealed_with_newest(sealed: bytes) -> bool:
    """Tell whether the newest key alone opens it."""
    try:
        _keys()[0].decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def register_sealed(model: type[models.Model], *columns: str) -> None:
    """Have the ``columns`` of ``model``, binary and perhaps null, rewrapped with all others; called at start-up."""
    _sealed.extend((model, column) for column in columns if (model, column) not in _sealed)


def sealed_columns() -> tuple[tuple[type[models.Model], str], ...]:
    """Return every column that holds what is sealed."""
    return tuple(_sealed)


def rewrap(model: type[models.Model], column: str) -> Iterator[tuple[Any, bool]]:
    """
    Encrypt a column with the newest key, row by row, and yield the id of each row with whether it could be opened.

    Rows that the newest key opens already are passed over. What is sealed is in no history, so none is written.
    """
    rows = model._default_manager.exclude(**{column: None})
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = rows.select_for_update(of=("self",)).filter(pk=pk)
            sealed = row.values_list(column, flat=True).first()
            if sealed is None or is_sealed_with_newest(sealed):
                continue
            try:
                rewrapped = reseal(sealed)
            except Unsealable:
                yield pk, False
                continue
            row.update(**{column: rewrapped})
        yield pk, True


def fingerprint(value: Mapping[str, Any]) -> str:
    """Return 12 digits by which operators can tell whether two secrets are the same, and nothing else."""
    text = json.dumps(value, sort_keys=True)
    key = str(settings.SECRET_PEPPERS[0]).encode()
    return hashlib.blake2b(text.encode(), key=hashlib.sha256(key).digest(), digest_size=6).hexdigest()


def _fernet() -> MultiFernet:
    return MultiFernet(_keys())


def _keys() -> list[Fernet]:
    """Return a cipher for each key, newest first; any text makes one."""
    return [
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(str(key).encode()).digest())) for key in settings.ENCRYPTION_KEYS
    ]
