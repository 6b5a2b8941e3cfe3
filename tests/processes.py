"""Processes of the product beside the test: they see its database and a broker of their own."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


def environment(*, broker: int = 0) -> dict[str, str]:
    """Return the environment of a process on the test's database and on the numbered database of the Redis server."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    redis = settings.REDIS_URL
    numbered = re.sub(r"db=\d+", f"db={broker}", redis) if "db=" in redis else f"{redis.rstrip('/')}/{broker}"
    return {**os.environ, "DATABASE_URL": database.geturl(), "REDIS_URL": numbered}
