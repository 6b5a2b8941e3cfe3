"""Versions of rate plans: other prices than those of a plan in use are those of its next version."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from catalog.models import RatePlan
from catalog.operations.plan_copies import copy_plan


@transaction.atomic
def clone_rate_plan(plan_id: str, *, name: str = "", code: str = "", now: datetime) -> RatePlan:
    """
    Draft a copy of the plan with all its terms and charges: the next version, or with another ``code`` a plan anew.

    Its name is the plan's own unless ``name`` gives another. Versions count on from the highest there is, whichever of
    them is copied; subscriptions stay where they are.

    Raises:
        NotFound: unknown plan.
        DuplicateCode: another plan has the ``code``.
    """
    code_of_plan = RatePlan.objects.find(plan_id).code
    # All versions are locked, in the order that deletions take too, so that two copies never count the same.
    list(RatePlan.objects.filter(code=code_of_plan).order_by("id").select_for_update())
    plan = RatePlan.objects.lock(plan_id)
    copy = RatePlan(product_id=plan.product_id, code=code or plan.code, name=name)
    if copy.code == plan.code:
        # A question of its own: what a copy that was waited for has added is seen only after the wait.
        copy.version = RatePlan.objects.filter(code=plan.code).aggregate(last=Max("version"))["last"] + 1
    return copy_plan(plan, copy, now=now)
