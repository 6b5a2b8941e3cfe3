"""Steps of the operations that link rows of the catalog to each other: what is named is locked, so that it stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db import models

from catalog.models import AddOn, RatePlan, Tax
from config.kernel.errors import Invalid
from config.kernel.models import RecordQuerySet

ModelT = TypeVar("ModelT", bound=models.Model)


def lock_named(rows: RecordQuerySet[ModelT], ids: Sequence[str], *, param: str) -> list[ModelT]:
    """
    Lock the rows with ``ids`` until the transaction ends, and return them; ``param`` is the field that names them.

    They are locked in the order of their ids, so that two who name the same ones never wait for each other in a circle.

    Raises:
        Invalid: an id is named twice.
        NotFound: there is no such row.
    """
    if len(set(ids)) != len(ids):
        raise Invalid(param, "Each of them may be named once")
    return [rows.lock(pk, param=param) for pk in sorted(ids)]


def replace_taxes(owner: RatePlan | AddOn, taxes: Sequence[str]) -> bool:
    """
    Give ``owner``, which is locked, exactly ``taxes`` (ids), and tell whether that changed anything.

    Each tax that goes or comes is a row of history.

    Raises:
        Invalid: a tax is named twice.
        NotFound: there is no such tax.
    """
    wanted = {tax.id for tax in lock_named(Tax.objects.all(), taxes, param="taxes")}
    links = {link.tax_id: link for link in owner.tax_links.all()}
    gone, new = links.keys() - wanted, wanted - links.keys()
    for tax_id in sorted(gone):
        links[tax_id].delete()
    for tax_id in sorted(new):
        owner.tax_links.create(tax_id=tax_id)
    return bool(gone or new)
