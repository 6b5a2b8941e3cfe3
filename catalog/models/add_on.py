"""Add-ons: what is sold once, beside plans."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from catalog.models.product import validate_code
from catalog.models.tax import Tax
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import AmountField, CurrencyField


class AddOnQuerySet(RecordQuerySet["AddOn"]):
    """Add-ons."""


class AddOn(Record):
    """A one-time fee of ``amount`` in ``currency``: a set-up, a training, a migration."""

    id = TypeIDField("addon")
    code = models.CharField(max_length=100, unique=True, validators=[validate_code])
    name = models.CharField(max_length=200)
    #: What invoices call it, where that is not its name.
    invoice_display_name = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    amount = AmountField(validators=[MinValueValidator(0)])
    currency = CurrencyField(default="USD")
    taxes = models.ManyToManyField(Tax, through="AddOnTax", related_name="add_ons", blank=True)

    objects = AddOnQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "add-on"
        constraints = [
            models.CheckConstraint(name="add_on_amount_is_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class AddOnTaxQuerySet(RecordQuerySet["AddOnTax"]):
    """Taxes of add-ons."""


class AddOnTax(models.Model):
    """A tax that applies to an add-on."""

    id = TypeIDField("atax")
    add_on = models.ForeignKey(AddOn, on_delete=models.CASCADE, related_name="tax_links")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")

    objects = AddOnTaxQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["id"]
        verbose_name = "tax of an add-on"
        verbose_name_plural = "taxes of add-ons"
        constraints = [models.UniqueConstraint(name="add_on_has_a_tax_once", fields=["add_on", "tax"])]

    def __str__(self) -> str:
        return str(self.tax_id)
