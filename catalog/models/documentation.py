"""What a product's OpenAPI document says, and what came of fetching it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from catalog.models.product import Product
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet


class DocumentationStatus(models.TextChoices):
    """Where the newest request stands."""

    PENDING = "PENDING", "Pending"
    FETCHED = "FETCHED", "Fetched"
    ERROR = "ERROR", "Error"


#: Columns that hold whole documents: too much for a history row, and for a list.
DOCUMENTS = ("waiting", "document", "outline")
#: What a worker notes while it works; no change of the documentation.
NOTES = ("attempts", "claimed_until")


class DocumentationQuerySet(RecordQuerySet["Documentation"]):
    """Documentation."""

    def due(self, now: datetime) -> Self:
        """Keep what waits for a worker: nobody has taken it on, or whoever did has been silent for too long."""
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        return self.filter(free, status=DocumentationStatus.PENDING)


class Documentation(Record):
    """
    The documentation of one product: the newest request for it, and the last document that could be read.

    ``outline`` is what people read (shape: ``catalog.openapi.outline``), ``document`` the text it was made from.
    ``source_url`` is empty where the document was uploaded; it then stands in ``waiting`` until it has been checked.
    """

    id = TypeIDField("docu")
    product = models.OneToOneField(Product, on_delete=models.PROTECT, related_name="documentation")
    source_url = models.URLField("source", max_length=500, blank=True)
    status = models.CharField(
        max_length=20, choices=DocumentationStatus, default=DocumentationStatus.PENDING, editable=False
    )
    error = models.CharField(max_length=1000, blank=True)
    #: Counts the requests, so that the answer to an old one does not pass for that to a new one.
    request_number = models.PositiveIntegerField(default=1)
    requested_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    waiting = models.BinaryField(null=True)
    document = models.BinaryField(null=True)
    outline = models.JSONField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = DocumentationQuerySet.as_manager()
    history = History(excluded_fields=[*DOCUMENTS, *NOTES])

    class Meta:
        verbose_name_plural = "documentation"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                name="documentation_pending", fields=["requested_at"], condition=Q(status=DocumentationStatus.PENDING)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="documentation_status_is_known", condition=Q(status__in=DocumentationStatus.values)
            ),
            models.CheckConstraint(
                name="documentation_fails_with_an_error",
                condition=Q(status=DocumentationStatus.ERROR) ^ Q(error=""),
            ),
            models.CheckConstraint(
                name="documentation_fetched_has_a_document",
                condition=~Q(status=DocumentationStatus.FETCHED)
                | Q(document__isnull=False, outline__isnull=False, fetched_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    @property
    def title(self) -> str:
        """The title of the last document that could be read; empty without one."""
        outline: dict[str, Any] = self.outline or {}
        return str(outline.get("title", ""))
