"""Teams of a customer: a department, project or cost centre with a budget of its own."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import AmountField
from customers.models.customer import Customer


class BudgetPeriod(models.TextChoices):
    """How long a budget lasts, on the customer's calendar."""

    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"
    YEAR = "year", "Year"


class TeamQuerySet(RecordQuerySet["Team"]):
    """Teams, deleted ones included until ``live()`` is asked for."""

    def live(self) -> Self:
        """Keep those that are not deleted, nor is their customer."""
        return self.filter(deleted_at__isnull=True, customer__deleted_at__isnull=True)


class Team(Record):
    """An organisational unit of one customer; ``budget_amount`` is in the customer's currency, None for no budget."""

    id = TypeIDField("team")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="teams")
    name = models.CharField(max_length=200)
    external_id = models.CharField("external id", max_length=255, null=True, blank=True)
    budget_amount = AmountField(null=True, blank=True)
    budget_period = models.CharField(max_length=10, choices=BudgetPeriod, default=BudgetPeriod.MONTH)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TeamQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "name"], name="team_one_live_per_name", condition=Q(deleted_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["customer", "external_id"],
                name="team_one_live_per_external_id",
                condition=Q(deleted_at__isnull=True),
            ),
            models.CheckConstraint(
                name="team_budget_is_not_negative",
                condition=Q(budget_amount__isnull=True) | Q(budget_amount__gte=0),
            ),
            models.CheckConstraint(
                name="team_budget_period_is_known", condition=Q(budget_period__in=BudgetPeriod.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name
