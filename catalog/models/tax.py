"""Taxes: what is added to the lines of an invoice."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from catalog.models.product import validate_code
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import AmountField, plain

#: The highest share of an amount that a tax or a discount can be.
HUNDRED_PERCENT = 100


class TaxQuerySet(RecordQuerySet["Tax"]):
    """Taxes."""

    def default(self) -> Self:
        """Keep those that apply where neither the line nor its plan nor the customer names any."""
        return self.filter(is_default=True)


class Tax(Record):
    """
    A tax of ``rate_percent`` on the net amount of a line.

    The rate may change with the law: documents copy the rate they used, and keep it. The code is what accounting knows
    the tax by, and never changes. Several taxes may be default ones; they then apply together.
    """

    id = TypeIDField("tax")
    code = models.CharField(max_length=100, unique=True, validators=[validate_code])
    name = models.CharField(max_length=200)
    rate_percent = AmountField(
        verbose_name="rate in percent", validators=[MinValueValidator(0), MaxValueValidator(HUNDRED_PERCENT)]
    )
    description = models.TextField(blank=True)
    is_default = models.BooleanField("default", default=False)

    objects = TaxQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "taxes"
        constraints = [
            models.CheckConstraint(
                name="tax_rate_is_a_percentage", condition=Q(rate_percent__gte=0, rate_percent__lte=HUNDRED_PERCENT)
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="tax_code_is_fixed", fields=["code"])]

    def __str__(self) -> str:
        return f"{self.name} ({plain(self.rate_percent):f}%)"
