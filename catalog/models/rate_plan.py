"""Rate plans and their charges: what is paid how often, and what usage costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from catalog.models.metric import Metric
from catalog.models.product import Product, validate_code
from catalog.models.tax import Tax
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import EXACT, AmountField, CurrencyField


class PlanStatus(models.TextChoices):
    """A draft is priced, an active plan is sold with frozen prices, an archived one takes no new subscriptions."""

    DRAFT = "DRAFT", "Draft"
    ACTIVE = "ACTIVE", "Active"
    ARCHIVED = "ARCHIVED", "Archived"


class Interval(models.TextChoices):
    """How long a billing period is."""

    WEEK = "week", "Week"
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"
    YEAR = "year", "Year"


class ChargeModel(models.TextChoices):
    """How usage becomes an amount; the arithmetic is in ``catalog.pricing``."""

    STANDARD = "STANDARD", "Standard: price per unit"
    GRADUATED = "GRADUATED", "Graduated: each unit at its tier's price"
    VOLUME = "VOLUME", "Volume: all units at the price of the tier reached"
    PACKAGE = "PACKAGE", "Package: price per started package"
    PERCENTAGE = "PERCENTAGE", "Percentage: a share of each event's amount"
    GRADUATED_PERCENTAGE = "GRADUATED_PERCENTAGE", "Graduated percentage: each unit at its tier's share"
    DYNAMIC = "DYNAMIC", "Dynamic: the amounts that events carry"


#: The models that price each event by itself, for which the units of an hour do not suffice.
PRICED_BY_EVENT = frozenset({ChargeModel.PERCENTAGE, ChargeModel.DYNAMIC})

#: How often each interval is billed in a year, so that plans can be compared.
BILLED_A_YEAR = {Interval.WEEK: 52, Interval.MONTH: 12, Interval.QUARTER: 4, Interval.YEAR: 1}

#: Ten years.
MAX_TRIAL_DAYS = 3650

FROZEN_COLUMNS = (
    "product_id", "code", "version", "interval", "amount", "currency", "limits", "pay_in_advance", "trial_days",
    "minimum_commitment", "maximum_spend",
)  # fmt: skip


class RatePlanQuerySet(RecordQuerySet["RatePlan"]):
    """Rate plans."""

    def active(self) -> Self:
        """Keep those that can be subscribed to."""
        return self.filter(status=PlanStatus.ACTIVE)

    def with_charge_count(self) -> Self:
        """Give each ``charge_count``, how many charges it has; also where these are filtered by some of them."""
        counts = Charge.objects.filter(plan=OuterRef("pk")).order_by().values("plan").annotate(count=Count("pk"))
        return self.annotate(charge_count=Coalesce(Subquery(counts.values("count")), 0))


class RatePlan(Record):
    """
    One version of a product's price: ``amount`` in ``currency`` per ``interval``, plus its charges for usage.

    The first ``trial_days`` of a subscription cost no base fee. A period comes to at least ``minimum_commitment`` and
    at most ``maximum_spend``, both in ``currency`` and without taxes; None where there is no such bound.
    """

    id = TypeIDField("plan")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="rate_plans")
    code = models.CharField(max_length=100, validators=[validate_code])
    version = models.PositiveIntegerField(default=1, editable=False)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=PlanStatus, default=PlanStatus.DRAFT, editable=False)
    interval = models.CharField(max_length=10, choices=Interval, default=Interval.MONTH)
    amount = AmountField(default=0)
    currency = CurrencyField(default="USD")
    #: ``{"rate_per_minute": 100, "quota_per_month": 100000}``; the names and their bounds: ``catalog.limits``.
    limits = models.JSONField(default=dict, blank=True)
    pay_in_advance = models.BooleanField(
        default=False,
        help_text="Whether the base fee is meant to be paid in advance. It is invoiced at the end of each period all "
        "the same, until what is left of a period paid in advance can be credited.",
    )
    trial_days = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(MAX_TRIAL_DAYS)])
    minimum_commitment = AmountField(null=True, blank=True, validators=[MinValueValidator(0)])
    maximum_spend = AmountField(null=True, blank=True, validators=[MinValueValidator(0)])
    #: Not frozen with the prices: the law changes them.
    taxes = models.ManyToManyField(Tax, through="RatePlanTax", related_name="rate_plans", blank=True)

    objects = RatePlanQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="rate_plan_one_per_code_and_version", fields=["code", "version"]),
            models.CheckConstraint(name="rate_plan_amount_is_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(name="rate_plan_status_is_known", condition=Q(status__in=PlanStatus.values)),
            models.CheckConstraint(name="rate_plan_interval_is_known", condition=Q(interval__in=Interval.values)),
            models.CheckConstraint(
                name="rate_plan_trial_is_ten_years_at_most", condition=Q(trial_days__lte=MAX_TRIAL_DAYS)
            ),
            models.CheckConstraint(
                name="rate_plan_minimum_commitment_is_not_negative",
                condition=Q(minimum_commitment__isnull=True) | Q(minimum_commitment__gte=0),
            ),
            models.CheckConstraint(
                name="rate_plan_maximum_spend_is_above_nothing",
                condition=Q(maximum_spend__isnull=True) | Q(maximum_spend__gt=0),
            ),
            models.CheckConstraint(
                name="rate_plan_maximum_spend_holds_the_base_fee",
                condition=Q(maximum_spend__isnull=True) | Q(maximum_spend__gte=F("amount")),
            ),
            models.CheckConstraint(
                name="rate_plan_maximum_spend_holds_the_minimum_commitment",
                condition=Q(maximum_spend__isnull=True)
                | Q(minimum_commitment__isnull=True)
                | Q(maximum_spend__gte=F("minimum_commitment")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="rate_plan_prices_are_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.status <> 'DRAFT'"),
                func=f"""
                    IF ({", ".join(f"OLD.{column}" for column in FROZEN_COLUMNS)})
                       IS DISTINCT FROM ({", ".join(f"NEW.{column}" for column in FROZEN_COLUMNS)})
                       OR NEW.status = 'DRAFT' THEN
                        RAISE EXCEPTION 'the prices of a rate plan are frozen once it is active'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}" if self.version > 1 else self.name

    @property
    def amount_a_year(self) -> Decimal:
        """What the base fee comes to in a year of 52 weeks, 12 months or 4 quarters, in ``currency``."""
        return EXACT.multiply(self.amount, Decimal(BILLED_A_YEAR[Interval(self.interval)]))


class ChargeQuerySet(RecordQuerySet["Charge"]):
    """Charges."""


class Charge(models.Model):
    """
    The price of one metric in a plan.

    ``properties`` are the numbers of the model as decimal strings (shapes: ``catalog.pricing``); ``match`` limits the
    charge to events whose dimensions have one of the values named: ``{"model": ["gpt-4o"]}``. Used or not, it comes to
    ``minimum_amount`` a period at least. ``prorated`` says that a unit counts for the part of a period it was held.
    """

    id = TypeIDField("chrg")
    #: Deleted by the operation that deletes the plan, after it; left alone, the database refuses at the commit.
    plan = models.ForeignKey(RatePlan, on_delete=models.DO_NOTHING, related_name="charges")
    position = models.PositiveSmallIntegerField()
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="charges")
    name = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=30, choices=ChargeModel)
    properties = models.JSONField(default=dict)
    match = models.JSONField(default=dict, blank=True)
    minimum_amount = AmountField(default=0)
    prorated = models.BooleanField(default=False)

    objects = ChargeQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(name="charge_has_its_own_position", fields=["plan", "position"]),
            models.CheckConstraint(name="charge_minimum_is_not_negative", condition=Q(minimum_amount__gte=0)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="charge_of_a_plan_in_use_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM catalog_rateplan plan
                        WHERE plan.id IN (NEW.plan_id, OLD.plan_id) AND plan.status <> 'DRAFT'
                    ) THEN
                        RAISE EXCEPTION 'the charges of a rate plan are frozen once it is active'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Charge {self.position}"
