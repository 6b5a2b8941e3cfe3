"""Answers kept for requests that are sent again."""

from __future__ import annotations

from typing import Any

from django.db import models

MAX_KEY_LENGTH = 255


class IdempotencyRecord(models.Model):
    """The answer to one POST, kept under the key that its caller gave; written in the transaction of its effect."""

    caller = models.CharField(max_length=100)
    key = models.CharField(max_length=MAX_KEY_LENGTH)
    #: A keyed digest of method, address and body: a body may hold secrets, so nothing else of it is kept.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    #: The answer's JSON without the secrets it showed; text, because it is sent again to the letter.
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_answer_per_caller_and_key", fields=["caller", "key"]),
        ]

    def __str__(self) -> str:
        return self.key
