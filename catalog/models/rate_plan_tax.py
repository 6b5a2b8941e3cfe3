"""Taxes of rate plans, which are no part of their frozen prices: the law changes them."""

from __future__ import annotations

from django.db import models

from catalog.models.rate_plan import RatePlan
from catalog.models.tax import Tax
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import RecordQuerySet


class RatePlanTaxQuerySet(RecordQuerySet["RatePlanTax"]):
    """Taxes of rate plans."""


class RatePlanTax(models.Model):
    """A tax that applies to the lines of a plan."""

    id = TypeIDField("ptax")
    plan = models.ForeignKey(RatePlan, on_delete=models.CASCADE, related_name="tax_links")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")

    objects = RatePlanTaxQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["id"]
        verbose_name = "tax of a rate plan"
        verbose_name_plural = "taxes of rate plans"
        constraints = [models.UniqueConstraint(name="rate_plan_has_a_tax_once", fields=["plan", "tax"])]

    def __str__(self) -> str:
        return str(self.tax_id)
