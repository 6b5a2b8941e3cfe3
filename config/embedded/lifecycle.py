"""
Share the embedded servers between processes: the first one in starts them, the last one out stops them.

Who uses them holds a shared lock on ``<home>/users.lock``. Starting, and finding out whether one is the last, happen
under ``<home>/start.lock``, so that nobody enters between "I am the last" and "it is stopped".
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import locks
from config.embedded.home import ServiceUrls, prepare_home, urls
from config.embedded.postgres import Postgres
from config.embedded.server import Server
from config.embedded.valkey import Valkey

SERVERS: dict[str, type[Server]] = {"DATABASE_URL": Postgres, "REDIS_URL": Valkey}
"""Which server stands in when which environment variable is not set."""


def missing_services() -> list[str]:
    """Return which of ``DATABASE_URL`` and ``REDIS_URL`` the environment does not set."""
    return [variable for variable in SERVERS if not os.environ.get(variable)]


@contextmanager
def provided_services(home: Path, *, durable: bool = True) -> Iterator[None]:
    """
    Keep ``DATABASE_URL`` and ``REDIS_URL`` set inside the block, for this process and its children.

    Only what the environment does not name already is started, and only that is unset again at the end.

    Raises:
        ServicesUnavailable: a server that is needed cannot be had.
    """
    missing = missing_services()
    if not missing:
        yield
        return
    with running_services(home, durable=durable, instead_of=missing) as found:
        addresses = {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
        os.environ.update({variable: addresses[variable] for variable in missing})
        try:
            yield
        finally:
            for variable in missing:
                os.environ.pop(variable, None)


@contextmanager
def running_services(
    home: Path, *, durable: bool = True, instead_of: Collection[str] = tuple(SERVERS)
) -> Iterator[ServiceUrls]:
    """
    Keep the servers of this home running inside the block, together with every other process that does the same.

    ``durable=False`` makes a server that is started here fast and forgetful after a power cut; one that runs already
    stays as it is. ``instead_of`` names the environment variables to stand in for; the address of a server left out is
    still in the result.

    Raises:
        ServicesUnavailable: a server cannot be had.
    """
    home = prepare_home(home)
    process = os.getpid()
    with locks.exclusive(home / "start.lock"):
        users = locks.share(home / "users.lock")
    try:
        with locks.exclusive(home / "start.lock"):
            for variable in instead_of:
                SERVERS[variable](home, durable=durable).ensure_running()
        yield urls(home)
    finally:
        # A fork of this process that leaves the block was never counted, and must not stop anything.
        if os.getpid() == process:
            _leave(home, users)


def stop_unused_services(home: Path) -> bool:
    """Stop the servers of a home whose last user was killed, and say whether nobody uses it."""
    with locks.exclusive(home / "start.lock"):
        users = locks.share(home / "users.lock")
    return _leave(home, users)


def _leave(home: Path, users: int) -> bool:
    with locks.exclusive(home / "start.lock"):
        try:
            is_last = locks.upgrade(users)
            if is_last:
                for server in SERVERS.values():
                    server(home, durable=True).stop()
            return is_last
        finally:
            locks.release(users)
