"""Versions of objects: an ETag in the answer, compared with ``If-Match`` before a write."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.http import parse_etags
from rest_framework.request import Request

from config.api.refusals import VersionMismatch
from config.kernel.errors import NotFound
from config.kernel.models import noun_of


def etag_of(found: Any) -> str | None:
    """Return the ETag of an object with ``updated_at``; None for anything else."""
    moment = getattr(found, "updated_at", None)
    if not isinstance(found, models.Model) or not isinstance(moment, datetime):
        return None
    return _etag(found.pk, moment)


def _etag(pk: object, moment: datetime) -> str:
    return f'"{hashlib.sha256(f"{pk} {moment.timestamp():.6f}".encode()).hexdigest()[:32]}"'


def refuse_other_version(request: Request, found: models.Model) -> None:
    """
    Lock ``found`` and compare its version with ``If-Match``, where the request has one and the object a version.

    Raises:
        VersionMismatch: it is another.
        NotFound: the row has gone since it was read.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None or etag_of(found) is None:
        return
    model = type(found)
    # The lock lasts to the end of the request's transaction: nobody gets between the comparison and the write.
    row = model._default_manager.select_for_update().filter(pk=found.pk).values_list("updated_at", flat=True).first()
    if row is None:
        raise NotFound(noun_of(model), found.pk)
    current = _etag(found.pk, row)
    if wanted.strip() != "*" and current not in parse_etags(wanted):
        raise VersionMismatch(current=current)
