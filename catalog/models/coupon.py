"""Coupons: what is taken off the invoices of the customers they are applied to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

import pgtrigger
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from catalog.models.metric import Metric
from catalog.models.product import validate_code
from catalog.models.rate_plan import RatePlan
from catalog.models.tax import HUNDRED_PERCENT
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import AmountField, CurrencyField

#: How many billing periods a recurring coupon can last at most.
MAX_PERIODS = 1000


def validate_positive(value: Decimal) -> None:
    """Raise ``ValidationError`` unless ``value`` is above 0."""
    if value <= 0:
        raise ValidationError("Must be above 0.", code="not_positive")


class CouponKind(models.TextChoices):
    """What a coupon takes off."""

    FIXED_AMOUNT = "fixed_amount", "Fixed amount"
    PERCENTAGE = "percentage", "Percentage"


class CouponFrequency(models.TextChoices):
    """How long a coupon lasts once it is applied; a fixed amount that is used once may be used up in parts."""

    ONCE = "once", "Once"
    RECURRING = "recurring", "Recurring: for a number of billing periods"
    FOREVER = "forever", "Forever"


class CouponLimit(models.TextChoices):
    """Which lines a coupon is taken off."""

    NOTHING = "", "Everything"
    PLANS = "plans", "Some rate plans"
    METRICS = "metrics", "Some metrics"


class CouponStatus(models.TextChoices):
    """Whether a coupon can be applied at a moment."""

    ACTIVE = "active", "Active"
    EXPIRED = "expired", "Expired"
    TERMINATED = "terminated", "Terminated"


#: What a customer was promised with the code.
FIXED_FIELDS = (
    "code", "kind", "amount", "currency", "rate_percent", "frequency", "periods", "is_reusable", "limited_to"
)  # fmt: skip

IS_FIXED_AMOUNT = Q(
    kind=CouponKind.FIXED_AMOUNT, amount__isnull=False, amount__gt=0, currency__isnull=False, rate_percent__isnull=True
)
IS_PERCENTAGE = Q(
    kind=CouponKind.PERCENTAGE,
    amount__isnull=True,
    currency__isnull=True,
    rate_percent__isnull=False,
    rate_percent__gt=0,
    rate_percent__lte=HUNDRED_PERCENT,
)
IS_RECURRING = Q(
    frequency=CouponFrequency.RECURRING, periods__isnull=False, periods__gte=1, periods__lte=MAX_PERIODS
)  # fmt: skip
IS_NOT_RECURRING = Q(frequency__in=[CouponFrequency.ONCE, CouponFrequency.FOREVER], periods__isnull=True)


class CouponQuerySet(RecordQuerySet["Coupon"]):
    """Coupons."""

    def applicable(self, now: datetime) -> Self:
        """Keep those that can be applied to a customer at ``now``."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), terminated_at__isnull=True)

    def with_status(self, status: str, now: datetime) -> Self:
        """Keep those that stand at ``status`` at ``now``."""
        match status:
            case CouponStatus.ACTIVE:
                return self.applicable(now)
            case CouponStatus.EXPIRED:
                return self.filter(expires_at__lte=now, terminated_at__isnull=True)
        return self.filter(terminated_at__isnull=False)


class Coupon(Record):
    """
    A discount under a code: ``amount`` in ``currency``, or ``rate_percent`` of what it is taken off.

    Its value never changes once it is made, because customers were promised it; another value is another coupon. No
    limit to plans or metrics means that it is taken off every line.
    """

    id = TypeIDField("coup")
    code = models.CharField(max_length=100, unique=True, validators=[validate_code])
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=CouponKind)
    amount = AmountField(null=True, blank=True, validators=[validate_positive])
    currency = CurrencyField(null=True, blank=True)
    rate_percent = AmountField(
        verbose_name="percentage",
        null=True,
        blank=True,
        validators=[validate_positive, MaxValueValidator(HUNDRED_PERCENT)],
    )
    frequency = models.CharField(max_length=20, choices=CouponFrequency, default=CouponFrequency.ONCE)
    #: Of a recurring one: how many invoices in a row it is taken off.
    periods = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_PERIODS)]
    )
    #: From then on it cannot be applied any more; where it was applied it goes on.
    expires_at = models.DateTimeField(null=True, blank=True)
    is_reusable = models.BooleanField("reusable", default=True)
    limited_to = models.CharField(max_length=10, choices=CouponLimit, default=CouponLimit.NOTHING, blank=True)
    terminated_at = models.DateTimeField(null=True, blank=True, editable=False)
    plans = models.ManyToManyField(RatePlan, through="CouponPlan", related_name="coupons", blank=True)
    metrics = models.ManyToManyField(Metric, through="CouponMetric", related_name="coupons", blank=True)

    objects = CouponQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="coupon_is_an_amount_in_a_currency_or_a_percentage", condition=IS_FIXED_AMOUNT | IS_PERCENTAGE
            ),
            models.CheckConstraint(
                name="coupon_has_periods_where_it_recurs", condition=IS_RECURRING | IS_NOT_RECURRING
            ),
            models.CheckConstraint(name="coupon_limit_is_known", condition=Q(limited_to__in=CouponLimit.values)),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="coupon_value_is_fixed", fields=list(FIXED_FIELDS)),
            pgtrigger.Protect(
                name="coupon_is_terminated_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.terminated_at IS NOT NULL AND NEW.terminated_at IS DISTINCT FROM OLD.terminated_at"
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def status(self, now: datetime) -> CouponStatus:
        """Return where the coupon stands at ``now``."""
        if self.terminated_at is not None:
            return CouponStatus.TERMINATED
        is_over = self.expires_at is not None and self.expires_at <= now
        return CouponStatus.EXPIRED if is_over else CouponStatus.ACTIVE
