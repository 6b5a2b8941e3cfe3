"""The plans that a Kong has before keys come to it, and what of the keys can be seen there."""

from __future__ import annotations

from typing import Any

from tests.gateways.kong_bench import Bench, document, plan

GOLD = plan(1, rate_per_minute=100, quota_per_month=10_000)
IRON = plan(2, rate_per_minute=10)
FREE = plan(3)
RECORD = document(GOLD, IRON, FREE)


def limits_of_consumer(bench: Bench, consumer: str) -> dict[str, Any] | None:
    """Return the configuration that limits a consumer: its own plugin's, or that of its group."""
    rows = bench.kong.rows("plugins", name="rate-limiting")
    if bench.edition == "oss":
        return next((row["config"] for row in rows if row["consumer"] == {"id": consumer}), None)
    groups = {group for group, member in bench.kong.members if member == consumer}
    return next((row["config"] for row in rows if row["consumer_group"]["id"] in groups), None)


def keys(bench: Bench) -> list[str]:
    return [row["key"] for row in bench.kong.rows("key-auths")]
