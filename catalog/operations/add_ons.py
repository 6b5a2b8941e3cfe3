"""Add-ons: create, change and delete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from catalog.errors import AddOnDeletionBlocked, DuplicateCode
from catalog.models import AddOn
from catalog.operations.links import replace_taxes
from config.kernel.constraints import refusing
from config.kernel.guards import DeletionReport, Verdict, deletion_report


@transaction.atomic
def create_add_on(
    *,
    code: str,
    name: str,
    amount: Decimal,
    currency: str,
    description: str = "",
    invoice_display_name: str = "",
    taxes: Sequence[str] = (),
    now: datetime,
) -> AddOn:
    """
    Create an add-on of ``amount`` in ``currency`` with ``taxes`` (ids).

    Raises:
        DuplicateCode: another add-on has the code.
        Invalid, NotFound: a tax is named twice, or there is no such tax.
    """
    add_on = AddOn(
        code=code,
        name=name,
        amount=amount,
        currency=currency,
        description=description,
        invoice_display_name=invoice_display_name,
        created_at=now,
        updated_at=now,
    )
    with refusing({"catalog_addon_code_key": DuplicateCode(value=code)}):
        add_on.save(force_insert=True)
    replace_taxes(add_on, taxes)
    return add_on


@transaction.atomic
def update_add_on(add_on_id: str, *, taxes: Sequence[str] | None = None, now: datetime, **changes: Any) -> AddOn:
    """
    Change the add-on's own fields; ``taxes``, when given, replace all it had.

    Raises:
        DuplicateCode, Invalid, NotFound: as when it is created.
    """
    add_on = AddOn.objects.lock(add_on_id)
    changed = add_on.assign(changes)
    has_other_taxes = taxes is not None and replace_taxes(add_on, taxes)
    if changed or has_other_taxes:
        with refusing({"catalog_addon_code_key": DuplicateCode(value=add_on.code)}):
            add_on.save_changes(*changed, now=now)
    return add_on


@transaction.atomic
def delete_add_on(add_on_id: str) -> DeletionReport:
    """
    Delete an add-on that nothing refers to, and return the report it was deleted under.

    Raises:
        AddOnDeletionBlocked: something stands in the way; ``details`` is the report.
    """
    add_on = AddOn.objects.lock(add_on_id)
    report = deletion_report(add_on)
    if report.verdict is not Verdict.ALLOW:
        raise AddOnDeletionBlocked(**report.document())
    add_on.delete()
    return report
