"""
When secrets were used last: noted in Redis at each use, written down in the database each minute.

A use costs its request one short command of Redis and no write; while Redis is away, uses are not noted.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from redis import Redis

from config.api.redis import asked
from config.kernel.ids import TypeID
from credentials.operations.uses import record_uses

#: How many notes are taken off in one go.
CHUNK = 1000

#: A note that was renewed while it was being written down stays for the next time.
FORGET = """
    for i = 1, #ARGV, 2 do
        if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
            redis.call('HDEL', KEYS[1], ARGV[i])
        end
    end
"""


def notes() -> str:
    """Return the name of the hash from ids to moments; installations that share a Redis have a database each."""
    return f"credentials:last-used:{connection.settings_dict['NAME']}"


def note_use(keyed_id: str, at: datetime) -> None:
    """Note that the secret of the credential or operator key was used."""
    asked(lambda redis: redis.hset(notes(), keyed_id, at.isoformat()), otherwise="last_use_not_noted")


def flush_uses() -> int:
    """Write down what was noted and return how many rows that changed; running it twice, or at once, is harmless."""
    noted = asked(_noted, otherwise="last_uses_not_read") or {}
    written = record_uses({TypeID(keyed_id): datetime.fromisoformat(at) for keyed_id, at in noted.items()})
    pairs = list(noted.items())
    for first in range(0, len(pairs), CHUNK):
        done = [text for pair in pairs[first : first + CHUNK] for text in pair]
        asked(partial(_forget, done), otherwise="last_uses_not_forgotten")
    return written


def _forget(done: list[str], redis: Redis) -> None:
    redis.eval(FORGET, 1, notes(), *done)


def _noted(redis: Redis) -> dict[str, str]:
    found: Any = redis.hgetall(notes())
    return {keyed_id.decode(): at.decode() for keyed_id, at in found.items()}
