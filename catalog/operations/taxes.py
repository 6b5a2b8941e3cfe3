"""Taxes: create, change, delete, and put onto rate plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from catalog.errors import DuplicateCode, TaxDeletionBlocked
from catalog.models import RatePlan, Tax
from catalog.operations.links import replace_taxes
from config.kernel.constraints import refusing
from config.kernel.guards import DeletionReport, Verdict, deletion_report


@transaction.atomic
def create_tax(
    *, code: str, name: str, rate_percent: Decimal, description: str = "", is_default: bool = False, now: datetime
) -> Tax:
    """
    Create a tax; a default one applies where neither line, plan nor customer names any.

    Raises:
        DuplicateCode: another tax has the code.
    """
    tax = Tax(
        code=code,
        name=name,
        rate_percent=rate_percent,
        description=description,
        is_default=is_default,
        created_at=now,
        updated_at=now,
    )
    with refusing({"catalog_tax_code_key": DuplicateCode(value=code)}):
        tax.save(force_insert=True)
    return tax


@transaction.atomic
def update_tax(tax_id: str, *, now: datetime, **changes: Any) -> Tax:
    """Change ``name``, ``rate_percent``, ``description`` or ``is_default``; documents keep the rate they used."""
    tax = Tax.objects.lock(tax_id)
    if changed := tax.assign(changes):
        tax.save_changes(*changed, now=now)
    return tax


@transaction.atomic
def delete_tax(tax_id: str) -> DeletionReport:
    """
    Delete a tax that nothing uses, and return the report it was deleted under.

    Raises:
        TaxDeletionBlocked: something uses it; ``details`` is the report.
    """
    tax = Tax.objects.lock(tax_id)
    report = deletion_report(tax)
    if report.verdict is not Verdict.ALLOW:
        raise TaxDeletionBlocked(**report.document())
    tax.delete()
    return report


@transaction.atomic
def set_plan_taxes(plan_id: str, *, taxes: Sequence[str], now: datetime) -> RatePlan:
    """
    Give the plan exactly ``taxes`` (ids), also where its prices are frozen; invoices that are final keep theirs.

    Raises:
        Invalid: a tax is named twice.
        NotFound: unknown plan or tax.
    """
    plan = RatePlan.objects.lock(plan_id)
    if replace_taxes(plan, taxes):
        # The taxes are part of what the plan shows, so its version is another one.
        plan.save_changes(now=now)
    return plan
