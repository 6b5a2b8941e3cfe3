"""Coupons: create, describe anew, terminate and delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from catalog.errors import CouponAlreadyTerminated, CouponDeletionBlocked, DuplicateCode
from catalog.models import (
    Coupon,
    CouponFrequency,
    CouponKind,
    CouponLimit,
    CouponMetric,
    CouponPlan,
    Metric,
    RatePlan,
)
from catalog.operations.links import lock_named
from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from config.kernel.guards import DeletionReport, Verdict, deletion_report


@dataclass(frozen=True, kw_only=True)
class CouponValue:
    """What a coupon takes off and for how long; fixed once it is made."""

    kind: str
    amount: Decimal | None = None
    currency: str | None = None
    rate_percent: Decimal | None = None
    frequency: str = CouponFrequency.ONCE
    periods: int | None = None
    is_reusable: bool = True


@transaction.atomic
def create_coupon(
    value: CouponValue,
    *,
    code: str,
    name: str,
    description: str = "",
    expires_at: datetime | None = None,
    plans: Sequence[str] = (),
    metrics: Sequence[str] = (),
    now: datetime,
) -> Coupon:
    """
    Create a coupon, limited to ``plans`` or to ``metrics`` (ids), or to neither.

    Raises:
        DuplicateCode: another coupon has the code.
        Invalid: parts of the value do not belong together, plans and metrics are both named or one of them twice, or
            ``expires_at`` is not in the future.
        NotFound: there is no such plan or metric.
    """
    _check_value(value)
    _check_expiry(expires_at, now)
    if plans and metrics:
        raise Invalid("metrics", "A coupon is limited to plans or to metrics, not to both")
    limited_to = CouponLimit.PLANS if plans else CouponLimit.METRICS if metrics else CouponLimit.NOTHING
    coupon = Coupon(
        **asdict(value),
        code=code,
        name=name,
        description=description,
        expires_at=expires_at,
        limited_to=limited_to,
        created_at=now,
        updated_at=now,
    )
    with refusing({"catalog_coupon_code_key": DuplicateCode(value=code)}):
        coupon.save(force_insert=True)
    for plan in lock_named(RatePlan.objects.all(), plans, param="plans"):
        CouponPlan.objects.create(coupon=coupon, plan=plan)
    for metric in lock_named(Metric.objects.all(), metrics, param="metrics"):
        CouponMetric.objects.create(coupon=coupon, metric=metric)
    return coupon


@transaction.atomic
def update_coupon(coupon_id: str, *, now: datetime, **changes: Any) -> Coupon:
    """
    Change ``name``, ``description`` or ``expires_at``; the value of a coupon is fixed.

    Raises:
        Invalid: a new ``expires_at`` is not in the future.
    """
    coupon = Coupon.objects.lock(coupon_id)
    changed = coupon.assign(changes)
    if "expires_at" in changed:
        _check_expiry(coupon.expires_at, now)
    if changed:
        coupon.save_changes(*changed, now=now)
    return coupon


@transaction.atomic
def terminate_coupon(coupon_id: str, *, now: datetime) -> Coupon:
    """
    Let nobody have the coupon any more, for good; where it was applied it goes on.

    Raises:
        CouponAlreadyTerminated: it was terminated before.
    """
    coupon = Coupon.objects.lock(coupon_id)
    if coupon.terminated_at is not None:
        raise CouponAlreadyTerminated(terminated_at=coupon.terminated_at)
    coupon.terminated_at = now
    coupon.save_changes("terminated_at", now=now)
    return coupon


@transaction.atomic
def delete_coupon(coupon_id: str) -> DeletionReport:
    """
    Delete a coupon that nobody ever had, and return the report it was deleted under.

    Raises:
        CouponDeletionBlocked: something stands in the way; ``details`` is the report.
    """
    coupon = Coupon.objects.lock(coupon_id)
    report = deletion_report(coupon)
    if report.verdict is not Verdict.ALLOW:
        raise CouponDeletionBlocked(**report.document())
    limits = [*coupon.plan_limits.all(), *coupon.metric_limits.all()]
    # The coupon goes first: what is fixed are the limits of a coupon that is there.
    coupon.delete()
    for limit in limits:
        limit.delete()
    return report


def _check_value(value: CouponValue) -> None:
    """Refuse a value whose parts do not belong together; the database refuses the same without words."""
    is_fixed, is_recurring = value.kind == CouponKind.FIXED_AMOUNT, value.frequency == CouponFrequency.RECURRING
    parts = {
        "amount": (is_fixed, "fixed amount", "an amount"),
        "currency": (is_fixed, "fixed amount", "a currency"),
        "rate_percent": (not is_fixed, "percentage", "a rate in percent"),
        "periods": (is_recurring, "recurring", "a number of periods"),
    }
    for name, (is_wanted, kind, part) in parts.items():
        is_given = getattr(value, name) is not None
        if is_given != is_wanted:
            raise Invalid(name, f"A {kind} coupon needs {part}" if is_wanted else f"Only a {kind} coupon has {part}")


def _check_expiry(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise Invalid("expires_at", "A coupon must expire in the future")
