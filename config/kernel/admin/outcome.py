"""What came of an action, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.kernel.errors import DomainError
from config.kernel.secrets import IssuedSecret

#: What the function of an action returns: the sentence of its success, a page of its own, or nothing to add.
Answer = str | HttpResponseBase | None

#: How many objects that were refused or left alone are named; the rest are counted.
NAMED = 10


@dataclass
class Outcome:
    """What was done to which object, what was left alone or refused, and the secrets made on the way."""

    done: list[models.Model | None] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    refused: list[tuple[models.Model | None, DomainError]] = field(default_factory=list)
    skipped: Sequence[models.Model] = ()
    issued: list[IssuedSecret] = field(default_factory=list)

    @property
    def page(self) -> HttpResponseBase | None:
        """The first page that a function answered with."""
        return next((answer for answer in self.answers if isinstance(answer, HttpResponseBase)), None)

    def report(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, success: str) -> None:
        """Tell the operator; ``success`` is the sentence where the function gave none or there were several."""
        sentences = [answer for answer in self.answers if isinstance(answer, str)]
        if self.done:
            sentence = sentences[0] if len(self.done) == 1 and sentences else success
            model_admin.message_user(request, sentence, messages.SUCCESS)
        for obj in self.skipped[:NAMED]:
            model_admin.message_user(request, f"{obj}: left alone.", messages.WARNING)
        for target, refusal in self.refused[:NAMED]:
            sentence = refusal.message if target is None else f"{target}: {refusal.message}"
            model_admin.message_user(request, sentence, messages.ERROR)
        unsaid = sum(max(0, len(group) - NAMED) for group in (self.skipped, self.refused))
        if unsaid:
            model_admin.message_user(request, f"{unsaid} more were left alone or refused.", messages.WARNING)
