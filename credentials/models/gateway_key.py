"""Keys at gateways: what of a credential stands where, and the outbox through which it gets there."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from catalog.models import GatewayMapping
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from credentials.models.credential import Credential
from customers.models import Subscription


class WantedKey(models.TextChoices):
    """How a key should be at the gateway."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    ABSENT = "absent", "Absent"


class GatewayKeyStatus(models.TextChoices):
    """How a key is at the gateway, as far as we know."""

    PENDING = "PENDING", "Pending"
    PLACED = "PLACED", "Placed"
    SUSPENDED = "SUSPENDED", "Suspended"
    REMOVED = "REMOVED", "Removed"
    LOST = "LOST", "Lost"
    ERROR = "ERROR", "Error"
    UNSUPPORTED = "UNSUPPORTED", "Not supported"


#: What is sealed, and so kept out of history and of every page.
SECRETS = ("sealed", "made")
#: What workers are asked and note; no change of the key.
KEY_NOTES = (
    "is_due", "job_number", "requested_at", "attempts", "next_try_at", "claimed_until", "sealed_until",
)  # fmt: skip
#: The status that says that the gateway is as wanted.
REACHED = {
    WantedKey.ACTIVE: GatewayKeyStatus.PLACED,
    WantedKey.SUSPENDED: GatewayKeyStatus.SUSPENDED,
    WantedKey.ABSENT: GatewayKeyStatus.REMOVED,
}


class GatewayKeyQuerySet(RecordQuerySet["GatewayKey"]):
    """Keys at gateways."""

    def due(self, now: datetime) -> Self:
        """Keep what waits for a worker and may be tried now."""
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        ripe = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
        return self.filter(free, ripe, is_due=True)

    def wanted(self) -> Self:
        """Keep those that should be at their gateway, active or suspended."""
        return self.exclude(wanted=WantedKey.ABSENT)

    def there(self) -> Self:
        """Keep those that are, or may be, at their gateway."""
        never_placed = Q(status=GatewayKeyStatus.LOST, placed_at__isnull=True)
        return self.exclude(never_placed | Q(status__in=(GatewayKeyStatus.REMOVED, GatewayKeyStatus.UNSUPPORTED)))


class GatewayKey(Record):
    """
    One secret of a credential at one gateway; a rotation makes another, with the next number as ``generation``.

    ``wanted`` is how it should be there, ``status`` how it is as far as we know. ``consumer`` is the subscription that
    the credential was first issued for: at the gateway it goes on under that name when the plan is changed, because a
    key cannot be moved there without its secret. ``sealed`` holds the secret until
    the gateway has it, at most until ``sealed_until``; ``made`` what the gateway made itself, until it has been shown.
    ``handle`` is what the vendor needs to find the key again.
    """

    id = TypeIDField("gkey")
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="gateway_keys")
    mapping = models.ForeignKey(GatewayMapping, on_delete=models.PROTECT, related_name="keys")
    consumer = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    generation = models.PositiveSmallIntegerField(default=1)
    wanted = models.CharField(max_length=10, choices=WantedKey, default=WantedKey.ACTIVE)
    status = models.CharField(
        max_length=20, choices=GatewayKeyStatus, default=GatewayKeyStatus.PENDING, editable=False, db_index=True
    )
    #: When a rotation's grace ends and the key has to go.
    remove_at = models.DateTimeField(null=True, editable=False)
    handle = models.JSONField(default=dict, editable=False)
    placed_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    last_error_code = models.CharField(max_length=50, blank=True, editable=False)
    sealed = models.BinaryField(null=True, editable=False)
    sealed_until = models.DateTimeField(null=True, editable=False)
    made = models.BinaryField(null=True, editable=False)
    is_due = models.BooleanField(default=True, editable=False)
    job_number = models.PositiveIntegerField(default=1, editable=False)
    requested_at = models.DateTimeField(editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_try_at = models.DateTimeField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    objects = GatewayKeyQuerySet.as_manager()
    history = History(excluded_fields=[*SECRETS, *KEY_NOTES])

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="gateway_key_due", fields=["mapping", "requested_at"], condition=Q(is_due=True)),
            models.Index(name="gateway_key_ends", fields=["remove_at"], condition=Q(remove_at__isnull=False)),
            models.Index(name="gateway_key_sealed", fields=["sealed_until"], condition=Q(sealed__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                name="gateway_key_one_per_secret_and_mapping", fields=["credential", "mapping", "generation"]
            ),
            models.CheckConstraint(name="gateway_key_wanted_is_known", condition=Q(wanted__in=WantedKey.values)),
            models.CheckConstraint(name="gateway_key_status_is_known", condition=Q(status__in=GatewayKeyStatus.values)),
            models.CheckConstraint(
                name="gateway_key_seals_for_a_time",
                condition=Q(sealed__isnull=True, sealed_until__isnull=True)
                | Q(sealed__isnull=False, sealed_until__isnull=False),
            ),
            models.CheckConstraint(
                name="gateway_key_gone_seals_nothing",
                condition=~Q(status=GatewayKeyStatus.REMOVED) | Q(sealed__isnull=True, made__isnull=True),
            ),
            models.CheckConstraint(
                name="gateway_key_fails_with_an_error",
                condition=~Q(status__in=("ERROR", "LOST", "UNSUPPORTED")) | ~Q(last_error=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Secret {self.generation}"

    @property
    def has_something_to_show(self) -> bool:
        """Whether the gateway made something that nobody has seen yet."""
        return self.made is not None

    @property
    def can_be_retried(self) -> bool:
        """Whether it is not as it should be, and the gateway could take it."""
        return self.status not in (REACHED[WantedKey(self.wanted)], GatewayKeyStatus.UNSUPPORTED)

    @property
    def is_never_sent(self) -> bool:
        """Whether no worker has taken it on yet, so that nothing of it can be at the gateway."""
        return self.job_number == 1 and self.attempts == 0
