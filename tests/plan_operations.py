"""What the operations on metrics and rate plans leave in history: part of the table of ``test_history``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from catalog.models import RatePlan
from catalog.operations import metrics, plan_deletion, plan_versions, rate_plans
from tests.factories import NOW, make_charge, make_metric, make_plan, make_product

LATER = NOW + timedelta(hours=1)


def plan_fields() -> dict[str, Any]:
    """Return the fields of a rate plan with one charge."""
    charges = [make_charge(make_metric())]
    fields = {"code": "p", "name": "P", "interval": "month", "amount": Decimal(1), "currency": "USD"}
    return {**fields, "product": make_product().id, "charges": charges}


def charged_plan(*, active: bool = True) -> RatePlan:
    return make_plan(charges=[make_charge(make_metric())], active=active)


#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
PLAN_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "create_metric",
        lambda: {"code": "m", "name": "M", "aggregation": "COUNT"},
        lambda made: metrics.create_metric(**made, now=NOW),
        {"metric": 1},
    ),
    (
        "rename_metric",
        make_metric,
        lambda made: metrics.rename_metric(made.id, name="New", now=LATER),
        {"metric": 1},
    ),
    (
        "delete_metric",
        make_metric,
        lambda made: metrics.delete_metric(made.id),
        {"metric": 1},
    ),
    (
        "create_rate_plan",
        plan_fields,
        lambda made: rate_plans.create_rate_plan(**made, now=NOW),
        {"rateplan": 1, "charge": 1},
    ),
    (
        "update_rate_plan",
        lambda: (charged_plan(active=False), make_metric()),
        lambda made: rate_plans.update_rate_plan(made[0].id, name="New", charges=[make_charge(made[1])], now=LATER),
        # The charge it had is deleted, another is made.
        {"rateplan": 1, "charge": 2},
    ),
    (
        "activate_rate_plan",
        lambda: charged_plan(active=False),
        lambda made: rate_plans.activate_rate_plan(made.id, now=LATER),
        {"rateplan": 1},
    ),
    (
        "archive_rate_plan",
        charged_plan,
        lambda made: rate_plans.archive_rate_plan(made.id, now=LATER),
        {"rateplan": 1},
    ),
    (
        "delete_rate_plan",
        charged_plan,
        lambda made: plan_deletion.delete_rate_plan(made.id, confirm=True),
        {"rateplan": 1, "charge": 1},
    ),
    (
        "clone_rate_plan",
        charged_plan,
        lambda made: plan_versions.clone_rate_plan(made.id, now=LATER),
        {"rateplan": 1, "charge": 1},
    ),
]
