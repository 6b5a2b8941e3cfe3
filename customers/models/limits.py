"""Tiers and the limits that come with them; a customer may have limits of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields

from django.core.validators import MinValueValidator
from django.db import models

#: What the column takes.
LARGEST_LIMIT = 2**63 - 1


class Tier(models.TextChoices):
    """The service level of a customer."""

    FREE = "free", "Free"
    DEVELOPER = "developer", "Developer"
    STARTUP = "startup", "Startup"
    ENTERPRISE = "enterprise", "Enterprise"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a customer may use: requests a day, requests a minute, tokens in one request."""

    daily_requests: int
    rate_limit: int
    max_tokens_per_request: int


#: The names of the limits.
LIMITS = tuple(field.name for field in fields(Limits))

#: Startup's are those that the Customers API documents; the others are a step of about ten below and above.
TIER_LIMITS: dict[str, Limits] = {
    Tier.FREE: Limits(daily_requests=1_000, rate_limit=60, max_tokens_per_request=4_096),
    Tier.DEVELOPER: Limits(daily_requests=10_000, rate_limit=300, max_tokens_per_request=8_192),
    Tier.STARTUP: Limits(daily_requests=100_000, rate_limit=1_000, max_tokens_per_request=16_384),
    Tier.ENTERPRISE: Limits(daily_requests=1_000_000, rate_limit=10_000, max_tokens_per_request=131_072),
}


def _override(verbose_name: str) -> models.PositiveBigIntegerField[int | None, int | None]:
    return models.PositiveBigIntegerField(verbose_name, null=True, blank=True, validators=[MinValueValidator(1)])


class Limited(models.Model):
    """A record with a tier, and limits of its own where they are not the tier's."""

    tier = models.CharField(max_length=20, choices=Tier, default=Tier.FREE)
    daily_requests = _override("requests a day")
    rate_limit = _override("requests a minute")
    max_tokens_per_request = _override("tokens a request")

    class Meta:
        abstract = True

    @property
    def limits(self) -> Limits:
        """The limits that hold: the record's own, else those of its tier."""
        usual = TIER_LIMITS[self.tier]
        return Limits(
            daily_requests=self.daily_requests or usual.daily_requests,
            rate_limit=self.rate_limit or usual.rate_limit,
            max_tokens_per_request=self.max_tokens_per_request or usual.max_tokens_per_request,
        )
