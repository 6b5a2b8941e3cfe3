"""Deletion of rate plans: guarded on its own, and as a part of what goes with a product."""

from __future__ import annotations

from django.db import transaction

from catalog.errors import RatePlanDeletionBlocked, RatePlanDeletionNeedsConfirmation
from catalog.models import RatePlan
from config.kernel.guards import DeletionReport, Verdict, deletion_report


@transaction.atomic
def delete_rate_plan(plan_id: str, *, confirm: bool) -> DeletionReport:
    """
    Delete the plan with its charges, and return the report it was deleted under.

    Raises:
        RatePlanDeletionBlocked: somebody subscribes to it, or did; ``details`` is the report.
        RatePlanDeletionNeedsConfirmation: there are consequences and ``confirm`` is not set.
    """
    # The full lock also keeps new subscriptions away, which refer to the plan.
    plan = RatePlan.objects.lock(plan_id)
    report = deletion_report(plan)
    if report.verdict is Verdict.BLOCK:
        raise RatePlanDeletionBlocked(**report.document())
    if report.verdict is Verdict.WARN and not confirm:
        raise RatePlanDeletionNeedsConfirmation(**report.document())
    remove_plan(plan)
    return report


def remove_plan(plan: RatePlan) -> None:
    """
    Delete a locked plan and its charges in whatever status it is; part of the operations that delete it.

    One that somebody subscribed to cannot go at all: the database keeps what a subscription refers to.
    """
    charges = list(plan.charges.all())
    # The plan goes first: what is frozen are the charges of a plan that is there.
    plan.delete()
    for charge in charges:
        charge.delete()
