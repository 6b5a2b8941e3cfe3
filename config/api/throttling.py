"""Rate limits: so many requests a minute and operator key, counted in Redis."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from redis import Redis
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from config.api.authentication import caller_of
from config.api.redis import asked

WINDOW_S = 60
DEFAULT_LIMIT = 6000


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Where a caller stands in the current window; ``reset_s`` is how long it still runs."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Return it as the ``RateLimit-…`` headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class OperatorKeyThrottle(BaseThrottle):
    """
    Let a caller do ``API_RATE_LIMIT_PER_MINUTE`` requests a clock minute (6000 where the setting is missing).

    Without Redis nobody is refused: a lost count is better than a lost request, and the outage is logged.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; leaves where the caller stands in ``request.rate_limit``."""
        self._wait: float | None = None
        caller = caller_of(request)
        if caller is None:
            return True
        limit = int(getattr(settings, "API_RATE_LIMIT_PER_MINUTE", DEFAULT_LIMIT))
        now = time.time()
        used = count(f"api:rate:{caller.id}:{int(now // WINDOW_S)}")
        if used is None:
            return True
        reset_s = WINDOW_S - int(now) % WINDOW_S
        request.rate_limit = RateLimit(limit=limit, remaining=max(0, limit - used), reset_s=reset_s)  # type: ignore[attr-defined]
        if used > limit:
            self._wait = float(reset_s)
        return used <= limit

    def wait(self) -> float | None:
        """Return in how many seconds the caller may try again."""
        return self._wait


def count(key: str) -> int | None:
    """Return how often ``key`` has been counted in its window, this time included; None while Redis is away."""

    def counted(redis: Redis) -> int:
        pipeline = redis.pipeline(transaction=True)
        pipeline.incr(key)
        pipeline.expire(key, 2 * WINDOW_S)
        return int(pipeline.execute()[0])

    return asked(counted, otherwise="rate_limit_not_counted")
