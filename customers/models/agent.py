"""Applications and AI agents of a team: what calls our APIs on the customer's behalf."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from customers.models.moving import Moving
from customers.models.suspension import Suspendable, SuspendableQuerySet, suspension_rules
from customers.models.team import Team

#: The limits an agent may have of its own, none of them by default.
RATE_LIMITS = ("requests_per_second", "requests_per_minute", "requests_per_day", "tokens_per_minute")


class AgentKind(models.TextChoices):
    """Whether it is a program of the usual kind or acts by itself."""

    APPLICATION = "APPLICATION", "Application"
    AGENT = "AGENT", "AI agent"


class AgentType(models.TextChoices):
    """What an AI agent is built on."""

    CLAUDE = "CLAUDE", "Claude"
    GPT = "GPT", "GPT"
    LANGCHAIN = "LANGCHAIN", "LangChain"
    CREWAI = "CREWAI", "CrewAI"
    AUTOGEN = "AUTOGEN", "AutoGen"
    CUSTOM = "CUSTOM", "Custom"


class AgentStatus(models.TextChoices):
    """Whether an agent's own access is on; its customer's suspension is another matter."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class AgentQuerySet(Moving["Agent"], SuspendableQuerySet["Agent"]):
    """Applications and agents, deleted ones included until ``live()`` is asked for."""

    def live(self) -> Self:
        """Keep those that are not deleted, nor is their customer."""
        return self.filter(deleted_at__isnull=True, team__customer__deleted_at__isnull=True)

    def with_status(self, status: str, now: datetime) -> Self:
        """Keep those that stand at ``status`` at ``now``."""
        return self.suspended(now) if status == AgentStatus.SUSPENDED else self.with_access(now)


def _limit(verbose_name: str) -> models.PositiveBigIntegerField[int | None, int | None]:
    return models.PositiveBigIntegerField(verbose_name, null=True, blank=True, validators=[MinValueValidator(1)])


SUSPENSION_INDEXES, SUSPENSION_CONSTRAINTS = suspension_rules("agent")


class Agent(Suspendable):
    """An application or AI agent of one team; credentials may be bound to it, and are off while it is suspended."""

    id = TypeIDField("agent")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=AgentKind, default=AgentKind.APPLICATION)
    agent_type = models.CharField("type", max_length=20, choices=AgentType, blank=True)
    requests_per_second = _limit("requests a second")
    requests_per_minute = _limit("requests a minute")
    requests_per_day = _limit("requests a day")
    tokens_per_minute = _limit("tokens a minute")
    capabilities = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    objects = AgentQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "apps and agents"
        indexes = [*SUSPENSION_INDEXES]
        constraints = [
            *SUSPENSION_CONSTRAINTS,
            models.UniqueConstraint(
                fields=["team", "name"], name="agent_one_live_per_name", condition=Q(deleted_at__isnull=True)
            ),
            models.CheckConstraint(
                name="agent_type_is_that_of_an_agent",
                condition=Q(kind=AgentKind.APPLICATION, agent_type="")
                | Q(kind=AgentKind.AGENT, agent_type__in=AgentType.values),
            ),
        ]
        triggers = [
            # Usage is traced through the agent to its team; the agent's row outlives the agent.
            pgtrigger.Protect(name="agent_row_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rate_limits(self) -> dict[str, int]:
        """The agent's own limits by name, those it has."""
        return {name: limit for name in RATE_LIMITS if (limit := getattr(self, name)) is not None}

    def status(self, now: datetime) -> AgentStatus:
        """Return the status at ``now``."""
        return AgentStatus.SUSPENDED if self.is_suspended(now) else AgentStatus.ACTIVE
