"""What a coupon is limited to, fixed with its value."""

from __future__ import annotations

import pgtrigger
from django.db import models

from catalog.models.coupon import Coupon, CouponLimit
from catalog.models.metric import Metric
from catalog.models.rate_plan import RatePlan
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import RecordQuerySet


def kept_with_its_coupon(kind: CouponLimit) -> pgtrigger.Trigger:
    """Return the trigger that takes rows of coupons limited to ``kind`` alone, and keeps them as long as those."""
    return pgtrigger.Trigger(
        name="coupon_limit_is_fixed",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=f"""
            IF TG_OP = 'INSERT' AND NOT EXISTS (
                SELECT 1 FROM catalog_coupon coupon WHERE coupon.id = NEW.coupon_id AND coupon.limited_to = '{kind}'
            ) THEN
                RAISE EXCEPTION 'a coupon is limited to plans or to metrics, as it was made'
                    USING ERRCODE = 'check_violation';
            END IF;
            IF TG_OP <> 'INSERT' AND EXISTS (SELECT 1 FROM catalog_coupon coupon WHERE coupon.id = OLD.coupon_id) THEN
                RAISE EXCEPTION 'what a coupon is limited to is fixed' USING ERRCODE = 'check_violation';
            END IF;
            RETURN COALESCE(NEW, OLD);
        """,  # noqa: S608 - the word comes from our own enum
    )


class CouponPlanQuerySet(RecordQuerySet["CouponPlan"]):
    """Plans that coupons are limited to."""


class CouponPlan(models.Model):
    """A rate plan whose lines a coupon is taken off."""

    id = TypeIDField("cpln")
    #: Deleted by the operation that deletes the coupon, after it; left alone, the database refuses at the commit.
    coupon = models.ForeignKey(Coupon, on_delete=models.DO_NOTHING, related_name="plan_limits")
    plan = models.ForeignKey(RatePlan, on_delete=models.PROTECT, related_name="+")

    objects = CouponPlanQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["id"]
        verbose_name = "plan of a coupon"
        verbose_name_plural = "plans of coupons"
        constraints = [models.UniqueConstraint(name="coupon_names_a_plan_once", fields=["coupon", "plan"])]
        triggers = [kept_with_its_coupon(CouponLimit.PLANS)]

    def __str__(self) -> str:
        return str(self.plan_id)


class CouponMetricQuerySet(RecordQuerySet["CouponMetric"]):
    """Metrics that coupons are limited to."""


class CouponMetric(models.Model):
    """A metric whose lines a coupon is taken off."""

    id = TypeIDField("cmet")
    #: As above.
    coupon = models.ForeignKey(Coupon, on_delete=models.DO_NOTHING, related_name="metric_limits")
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="+")

    objects = CouponMetricQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["id"]
        verbose_name = "metric of a coupon"
        verbose_name_plural = "metrics of coupons"
        constraints = [models.UniqueConstraint(name="coupon_names_a_metric_once", fields=["coupon", "metric"])]
        triggers = [kept_with_its_coupon(CouponLimit.METRICS)]

    def __str__(self) -> str:
        return str(self.metric_id)
