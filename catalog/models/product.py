"""Products, their maturity and their place in the storefront."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet

validate_code = RegexValidator(
    r"\A[a-z0-9][a-z0-9._-]*\Z", "Use lower-case letters, digits, “.”, “_” and “-”, beginning with a letter or digit."
)


class ProductType(models.TextChoices):
    """What kind of thing is sold; it decides which credential a subscription gets."""

    STANDARD_API = "STANDARD_API", "Standard API"
    AGENTIC_API = "AGENTIC_API", "Agentic API"
    AI_AGENT = "AI_AGENT", "AI agent"
    MCP_SERVER = "MCP_SERVER", "MCP server"


class Audience(models.TextChoices):
    """Whom a product is meant for."""

    INTERNAL = "INTERNAL", "Internal"
    EXTERNAL = "EXTERNAL", "External"
    PARTNER = "PARTNER", "Partner"


class MaturityStage(models.TextChoices):
    """The life cycle, in order; a product goes one step forward at a time and never back."""

    EXPERIMENTAL = "EXPERIMENTAL", "Experimental"
    BETA = "BETA", "Beta"
    GA = "GA", "GA"
    DEPRECATED = "DEPRECATED", "Deprecated"
    RETIRED = "RETIRED", "Retired"

    @property
    def next(self) -> MaturityStage | None:
        """The one stage that may follow; None for the last."""
        stages = list(MaturityStage)
        position = stages.index(self) + 1
        return stages[position] if position < len(stages) else None


class PublishStatus(models.TextChoices):
    """Whether the storefront shows a product; independent of its maturity."""

    DRAFT = "DRAFT", "Draft"
    IN_REVIEW = "IN_REVIEW", "In review"
    PUBLISHED = "PUBLISHED", "Published"
    ARCHIVED = "ARCHIVED", "Archived"


#: What may follow each publish status.
PUBLISH_STEPS: dict[PublishStatus, tuple[PublishStatus, ...]] = {
    PublishStatus.DRAFT: (PublishStatus.IN_REVIEW,),
    PublishStatus.IN_REVIEW: (PublishStatus.PUBLISHED, PublishStatus.DRAFT),
    PublishStatus.PUBLISHED: (PublishStatus.ARCHIVED,),
    PublishStatus.ARCHIVED: (PublishStatus.DRAFT,),
}

#: The stages in which customers can subscribe.
SUBSCRIBABLE_STAGES = frozenset({MaturityStage.BETA, MaturityStage.GA})

#: What autonomous callers use: they get a client id and a secret instead of a key.
CLIENT_PRODUCTS = frozenset({ProductType.AI_AGENT, ProductType.MCP_SERVER})

STAGE_ORDER = "ARRAY['" + "', '".join(MaturityStage.values) + "']"
PUBLISH_PAIRS = ", ".join(f"('{before}', '{after}')" for before, steps in PUBLISH_STEPS.items() for after in steps)


class ProductQuerySet(RecordQuerySet["Product"]):
    """Products."""

    def in_storefront(self, *audiences: str) -> Self:
        """Keep those that the storefront shows to ``audiences``: published, and of a stage customers subscribe in."""
        return self.filter(
            publish_status=PublishStatus.PUBLISHED, maturity_stage__in=SUBSCRIBABLE_STAGES, audience__in=audiences
        )

    def with_documentation_status(self) -> Self:
        """Add ``documentation_status``: where the newest request for documentation stands; None without any."""
        return self.annotate(documentation_status=F("documentation__status"))


class Product(Record):
    """Something customers purchase access to: an API, an agent, an MCP server."""

    id = TypeIDField("prod")
    code = models.CharField(max_length=100, unique=True, validators=[validate_code])
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    #: Where its OpenAPI document is fetched from; what came of it is in its documentation.
    openapi_url = models.URLField("OpenAPI URL", max_length=500, blank=True)
    product_type = models.CharField(max_length=20, choices=ProductType)
    audience = models.CharField(max_length=20, choices=Audience, default=Audience.EXTERNAL)
    maturity_stage = models.CharField(
        max_length=20, choices=MaturityStage, default=MaturityStage.EXPERIMENTAL, editable=False
    )
    publish_status = models.CharField(max_length=20, choices=PublishStatus, default=PublishStatus.DRAFT, editable=False)

    objects = ProductQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="product_type_is_known", condition=models.Q(product_type__in=ProductType.values)
            ),
            models.CheckConstraint(name="product_audience_is_known", condition=models.Q(audience__in=Audience.values)),
            models.CheckConstraint(
                name="product_publish_status_is_known", condition=models.Q(publish_status__in=PublishStatus.values)
            ),
            models.CheckConstraint(
                name="product_in_experimental_is_not_published",
                condition=~models.Q(maturity_stage=MaturityStage.EXPERIMENTAL, publish_status=PublishStatus.PUBLISHED),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="product_type_is_fixed", fields=["product_type"]),
            pgtrigger.Trigger(
                name="product_goes_one_stage_forward",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.maturity_stage IS DISTINCT FROM NEW.maturity_stage"),
                func=f"""
                    IF array_position({STAGE_ORDER}, NEW.maturity_stage::text)
                       IS DISTINCT FROM array_position({STAGE_ORDER}, OLD.maturity_stage::text) + 1 THEN
                        RAISE EXCEPTION 'a product goes one stage forward at a time'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="product_publish_status_goes_by_its_steps",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.publish_status IS DISTINCT FROM NEW.publish_status"),
                func=f"""
                    IF (OLD.publish_status, NEW.publish_status) NOT IN ({PUBLISH_PAIRS}) THEN
                        RAISE EXCEPTION 'the publish status of a product goes by its steps'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_subscribable(self) -> bool:
        """Whether new subscriptions are taken."""
        return self.maturity_stage in SUBSCRIBABLE_STAGES

    @property
    def next_publish_statuses(self) -> list[str]:
        """The publish statuses that may follow now; what is EXPERIMENTAL cannot be published."""
        steps = PUBLISH_STEPS[PublishStatus(self.publish_status)]
        is_shut = self.maturity_stage == MaturityStage.EXPERIMENTAL
        return [step.value for step in steps if not (is_shut and step is PublishStatus.PUBLISHED)]

    @property
    def takes_clients(self) -> bool:
        """Whether its users present a client id with a secret; all others present a key."""
        return self.product_type in CLIENT_PRODUCTS
