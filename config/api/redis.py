"""Redis as the API asks it: quickly or not at all, because no request is worth waiting for what it counts there."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = structlog.get_logger(__name__)

#: A Redis that does not answer may cost a request this much, and then none for a while.
TIMEOUT_S = 0.25
PAUSE_S = 5.0

AnswerT = TypeVar("AnswerT")


class Outage:
    """Until when Redis is not asked, because it has just failed; monotonic seconds."""

    until = 0.0


@cache
def redis_client(url: str) -> Redis:
    """Return the process's client for ``url``: one connection pool, no retries, short patience."""
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0))


def asked(question: Callable[[Redis], AnswerT], *, otherwise: str) -> AnswerT | None:
    """Return what Redis answers to ``question``; None while it is away, which is logged as the event ``otherwise``."""
    if time.monotonic() < Outage.until:
        return None
    try:
        return question(redis_client(settings.REDIS_URL))
    except RedisError as error:
        Outage.until = time.monotonic() + PAUSE_S
        logger.warning(otherwise, error=str(error), paused_s=PAUSE_S)
        return None
