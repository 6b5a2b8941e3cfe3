"""Coupons: a value that is fixed once it was promised, for a time, for some lines or for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import ProtectedError

from catalog.errors import CouponAlreadyTerminated, CouponDeletionBlocked, DuplicateCode, ProductDeletionBlocked
from catalog.models import Coupon, CouponMetric, CouponPlan
from catalog.operations.coupons import CouponValue, create_coupon, delete_coupon, terminate_coupon, update_coupon
from catalog.operations.products import delete_product
from config.kernel import guards
from config.kernel.errors import Invalid, NotFound
from config.kernel.guards import Finding, Verdict, register_guard
from config.kernel.ids import TypeID
from tests.factories import NOW, make_coupon, make_metric, make_plan

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
TICK = timedelta(microseconds=1)
TEN = Decimal(10)

FIXED: dict[str, Any] = {"kind": "fixed_amount", "amount": TEN, "currency": "USD"}
SHARE: dict[str, Any] = {"kind": "percentage", "rate_percent": TEN}

#: What makes a coupon, and what of it is wrong; None where nothing is.
VALUES: list[tuple[dict[str, Any], str | None]] = [
    (FIXED, None),
    (SHARE, None),
    ({**FIXED, "frequency": "forever"}, None),
    ({**SHARE, "frequency": "recurring", "periods": 1}, None),
    ({**FIXED, "frequency": "recurring", "periods": 1000}, None),
    ({**SHARE, "rate_percent": Decimal(100)}, None),
    ({**FIXED, "amount": None}, "amount"),
    ({**FIXED, "currency": None}, "currency"),
    ({**FIXED, "rate_percent": TEN}, "rate_percent"),
    ({**SHARE, "rate_percent": None}, "rate_percent"),
    ({**SHARE, "amount": TEN}, "amount"),
    ({**SHARE, "currency": "USD"}, "currency"),
    ({**SHARE, "periods": 3}, "periods"),
    ({**SHARE, "frequency": "forever", "periods": 3}, "periods"),
    ({**SHARE, "frequency": "recurring"}, "periods"),
]


@pytest.mark.parametrize(("value", "wrong"), VALUES)
def test_the_parts_of_a_value_belong_together_for_the_operation_and_for_the_database(
    value: dict[str, Any], wrong: str | None
) -> None:
    row = Coupon(code="raw", name="Raw", created_at=NOW, updated_at=NOW, **value)

    if wrong is None:
        create_coupon(CouponValue(**value), code="ten", name="Ten", now=NOW)
        row.save()
        assert Coupon.objects.count() == 2
        return
    with pytest.raises(Invalid) as refusal:
        create_coupon(CouponValue(**value), code="ten", name="Ten", now=NOW)
    assert refusal.value.param == wrong
    with pytest.raises(IntegrityError, match=r"coupon_is_an_amount|coupon_has_periods"), transaction.atomic():
        row.save()
    assert not Coupon.objects.exists()


@pytest.mark.parametrize(
    ("value", "constraint"),
    [
        ({**FIXED, "amount": Decimal(0)}, "coupon_is_an_amount_in_a_currency_or_a_percentage"),
        ({**SHARE, "rate_percent": Decimal(0)}, "coupon_is_an_amount_in_a_currency_or_a_percentage"),
        ({**SHARE, "rate_percent": Decimal("100.1")}, "coupon_is_an_amount_in_a_currency_or_a_percentage"),
        ({**SHARE, "kind": "gift"}, "coupon_is_an_amount_in_a_currency_or_a_percentage"),
        ({**SHARE, "frequency": "recurring", "periods": 0}, "coupon_has_periods_where_it_recurs"),
        ({**SHARE, "frequency": "recurring", "periods": 1001}, "coupon_has_periods_where_it_recurs"),
        ({**SHARE, "frequency": "daily"}, "coupon_has_periods_where_it_recurs"),
        ({**SHARE, "limited_to": "products"}, "coupon_limit_is_known"),
    ],
)
def test_the_database_keeps_the_bounds_of_a_value(value: dict[str, Any], constraint: str) -> None:
    row = Coupon(code="raw", name="Raw", created_at=NOW, updated_at=NOW, **value)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row.save()


@pytest.mark.parametrize(
    "change",
    [
        {"code": "other"},
        {"rate_percent": Decimal(20)},
        {"kind": "fixed_amount", "rate_percent": None, "amount": TEN, "currency": "USD"},
        {"frequency": "forever"},
        {"is_reusable": False},
        {"limited_to": "plans"},
    ],
)
def test_a_value_never_changes_once_it_was_promised(change: dict[str, Any]) -> None:
    row = Coupon.objects.filter(pk=make_coupon().pk)

    with pytest.raises(ProgrammingError, match="Cannot update rows"), transaction.atomic():
        row.update(**change)
    assert row.update(name="Other") == 1


def test_a_code_names_one_coupon() -> None:
    make_coupon(code="welcome")

    with pytest.raises(DuplicateCode):
        make_coupon(code="welcome")
    assert make_coupon(code="welcome-2").code == "welcome-2"


def test_a_coupon_is_limited_to_plans_or_to_metrics_or_to_nothing() -> None:
    plans, metrics = {make_plan(), make_plan(active=False)}, {make_metric(), make_metric()}

    everywhere = make_coupon()
    of_plans = make_coupon(plans=[plan.id for plan in plans])
    of_metrics = make_coupon(metrics=[metric.id for metric in metrics])
    with pytest.raises(Invalid) as refusal:
        make_coupon(plans=[make_plan().id], metrics=[make_metric().id])

    assert refusal.value.param == "metrics"
    assert [one.limited_to for one in (everywhere, of_plans, of_metrics)] == ["", "plans", "metrics"]
    assert (set(of_plans.plans.all()), of_plans.metrics.count()) == (plans, 0)
    assert (set(of_metrics.metrics.all()), of_metrics.plans.count()) == (metrics, 0)


@pytest.mark.parametrize(("param", "noun", "prefix"), [("plans", "rate_plan", "plan"), ("metrics", "metric", "metr")])
def test_a_limit_names_what_there_is_and_once(param: str, noun: str, prefix: str) -> None:
    one = make_plan().id if param == "plans" else make_metric().id

    def limited_to(*ids: str) -> Coupon:
        limits: dict[str, Any] = {param: ids}
        return make_coupon(**limits)

    with pytest.raises(NotFound) as missing:
        limited_to(TypeID.new(prefix))
    with pytest.raises(Invalid) as twice:
        limited_to(one, one)

    assert (missing.value.noun, missing.value.param, twice.value.param) == (noun, param, param)
    assert getattr(limited_to(one), param).count() == 1


def test_the_database_limits_a_coupon_as_it_was_made_and_for_good() -> None:
    plan, metric = make_plan(), make_metric()
    of_plans, everywhere = make_coupon(plans=[plan.id]), make_coupon()

    for row in (CouponMetric(coupon=of_plans, metric=metric), CouponPlan(coupon=everywhere, plan=plan)):
        with pytest.raises(IntegrityError, match="limited to plans or to metrics"), transaction.atomic():
            row.save()
    for statement in ("DELETE FROM catalog_couponplan", "UPDATE catalog_couponplan SET id = id"):
        with pytest.raises(IntegrityError, match="limited to is fixed"), transaction.atomic():
            connection.cursor().execute(statement)
    with pytest.raises(IntegrityError, match="coupon_names_a_plan_once"), transaction.atomic():
        CouponPlan.objects.create(coupon=of_plans, plan=plan)


def test_a_product_stays_while_a_coupon_is_limited_to_a_plan_of_it() -> None:
    plan, other = make_plan(), make_plan()
    coupon = make_coupon(plans=[plan.id])

    with pytest.raises(ProductDeletionBlocked) as refusal:
        delete_product(plan.product_id, confirm=True)
    findings = refusal.value.details["findings"]
    assert isinstance(findings, list)
    assert [(one["code"], one["count"]) for one in findings] == [("limited_coupons", 1), ("rate_plans", 1)]
    delete_product(other.product_id, confirm=True)
    with pytest.raises(ProtectedError):
        plan.delete()

    delete_coupon(coupon.id)
    delete_product(plan.product_id, confirm=True)


@pytest.mark.parametrize(
    ("expires_at", "is_taken"), [(NOW, False), (NOW - TICK, False), (NOW + TICK, True), (None, True)]
)
def test_a_coupon_expires_in_the_future_or_never(expires_at: datetime | None, is_taken: bool) -> None:
    coupon = make_coupon(expires_at=LATER)

    if is_taken:
        assert make_coupon(expires_at=expires_at).expires_at == expires_at
        assert update_coupon(coupon.id, expires_at=expires_at, now=NOW).expires_at == expires_at
        return
    with pytest.raises(Invalid) as new:
        make_coupon(expires_at=expires_at)
    with pytest.raises(Invalid) as changed:
        update_coupon(coupon.id, expires_at=expires_at, now=NOW)
    assert (new.value.param, changed.value.param) == ("expires_at", "expires_at")
    assert Coupon.objects.get().expires_at == LATER


def test_an_expired_coupon_is_described_anew_and_comes_back_when_its_end_is_moved() -> None:
    coupon = make_coupon(expires_at=LATER)

    assert update_coupon(coupon.id, name="New", expires_at=LATER, now=LATER).status(LATER) == "expired"
    assert update_coupon(coupon.id, expires_at=LATER + TICK, now=LATER).status(LATER) == "active"


def test_a_coupon_can_be_applied_until_it_expires_or_is_terminated() -> None:
    forever, ending, ended = make_coupon(), make_coupon(expires_at=LATER), make_coupon(expires_at=LATER)
    terminate_coupon(ended.id, now=NOW)

    assert set(Coupon.objects.applicable(LATER - TICK)) == {forever, ending}
    assert set(Coupon.objects.applicable(LATER)) == {forever}
    for moment in (LATER - TICK, LATER):
        for status in ("active", "expired", "terminated"):
            found = set(Coupon.objects.with_status(status, moment))
            assert found == {one for one in Coupon.objects.all() if one.status(moment) == status}
    assert set(Coupon.objects.with_status("terminated", LATER)) == {ended}


def test_a_coupon_is_terminated_once_and_for_good() -> None:
    coupon = terminate_coupon(make_coupon().id, now=NOW)

    assert (coupon.terminated_at, coupon.status(NOW)) == (NOW, "terminated")
    with pytest.raises(CouponAlreadyTerminated):
        terminate_coupon(coupon.id, now=LATER)
    for moment in (None, LATER):
        with pytest.raises(ProgrammingError, match="Cannot update rows"), transaction.atomic():
            Coupon.objects.filter(pk=coupon.pk).update(terminated_at=moment)
    assert update_coupon(coupon.id, name="Over", now=LATER).name == "Over"


def applied(coupon: Coupon) -> Finding:
    """Block, as a higher app does that knows of a customer who has the coupon."""
    return Finding(code="applied_coupons", verdict=Verdict.BLOCK, message="1 customer(s) have it", count=1)


@contextmanager
def also_guarded() -> Iterator[None]:
    """Ask :func:`applied` too as long as the block lasts."""
    register_guard(Coupon, applied)
    try:
        yield
    finally:
        guards._guards[Coupon].remove(applied)


def test_a_coupon_goes_with_its_limits_unless_a_higher_app_says_why_not() -> None:
    coupon, other = make_coupon(plans=[make_plan().id, make_plan().id]), make_coupon(metrics=[make_metric().id])

    with also_guarded(), pytest.raises(CouponDeletionBlocked) as refusal:
        delete_coupon(coupon.id)
    assert refusal.value.details["verdict"] == "BLOCK"

    assert delete_coupon(coupon.id).findings == ()
    connection.check_constraints()
    assert list(Coupon.objects.all()) == [other]
    assert (CouponPlan.objects.count(), CouponMetric.objects.count()) == (0, 1)
    assert CouponPlan.history.filter(history_type="-").count() == 2
    with pytest.raises(NotFound):
        delete_coupon(coupon.id)
