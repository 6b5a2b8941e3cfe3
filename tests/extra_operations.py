"""What the operations on taxes, add-ons and coupons leave in history: part of the table of ``test_history``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from catalog.operations import add_ons, coupons, taxes
from tests.factories import NOW, make_add_on, make_coupon, make_metric, make_plan, make_tax

LATER = NOW + timedelta(hours=1)
TEN_PERCENT = coupons.CouponValue(kind="percentage", rate_percent=Decimal(10))

#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
EXTRA_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "create_tax",
        lambda: {"code": "t", "name": "T", "rate_percent": Decimal(19)},
        lambda made: taxes.create_tax(**made, now=NOW),
        {"tax": 1},
    ),
    (
        "update_tax",
        make_tax,
        lambda made: taxes.update_tax(made.id, rate_percent=Decimal(20), name="New", now=LATER),
        {"tax": 1},
    ),
    ("delete_tax", make_tax, lambda made: taxes.delete_tax(made.id), {"tax": 1}),
    (
        "set_plan_taxes",
        lambda: (make_plan(taxes=[make_tax().id]), make_tax()),
        lambda made: taxes.set_plan_taxes(made[0].id, taxes=[made[1].id], now=LATER),
        # The tax it had goes, another comes.
        {"rateplan": 1, "rateplantax": 2},
    ),
    (
        "create_add_on",
        lambda: [make_tax().id],
        lambda made: add_ons.create_add_on(code="a", name="A", amount=Decimal(1), currency="USD", taxes=made, now=NOW),
        {"addon": 1, "addontax": 1},
    ),
    (
        "update_add_on",
        lambda: make_add_on(taxes=[make_tax().id]),
        lambda made: add_ons.update_add_on(made.id, taxes=[], now=LATER),
        {"addon": 1, "addontax": 1},
    ),
    (
        "delete_add_on",
        lambda: make_add_on(taxes=[make_tax().id]),
        lambda made: add_ons.delete_add_on(made.id),
        {"addon": 1, "addontax": 1},
    ),
    (
        "create_coupon",
        lambda: [make_plan().id, make_plan().id],
        lambda made: coupons.create_coupon(TEN_PERCENT, code="c", name="C", plans=made, now=NOW),
        {"coupon": 1, "couponplan": 2},
    ),
    (
        "update_coupon",
        make_coupon,
        lambda made: coupons.update_coupon(made.id, name="New", now=LATER),
        {"coupon": 1},
    ),
    ("terminate_coupon", make_coupon, lambda made: coupons.terminate_coupon(made.id, now=LATER), {"coupon": 1}),
    (
        "delete_coupon",
        lambda: make_coupon(metrics=[make_metric().id]),
        lambda made: coupons.delete_coupon(made.id),
        {"coupon": 1, "couponmetric": 1},
    ),
]
