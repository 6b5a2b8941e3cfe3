"""Processes of the product beside the test: they see its database and a broker of their own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from config.management.commands.up import processes

#: How long a server may take to answer for the first time, on a machine that is busy with other tests.
START_S = 90


def environment(*, broker: int = 0) -> dict[str, str]:
    """Return the environment of a process on the test's database and on the numbered database of the Redis server."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    redis = settings.REDIS_URL
    numbered = re.sub(r"db=\d+", f"db={broker}", redis) if "db=" in redis else f"{redis.rstrip('/')}/{broker}"
    return {**os.environ, "DATABASE_URL": database.geturl(), "REDIS_URL": numbered}


@contextmanager
def running(name: str, log: Path, *, broker: int = 0, port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Run the process that ``manage.py up`` calls ``name`` while the block runs."""
    [_, *command] = processes("127.0.0.1", port)[name]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment(broker=broker), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def serving(log: Path, *, broker: int = 0) -> Iterator[str]:
    """Run the web server as ``manage.py up`` does while the block runs, and yield its address once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with running("web", log, broker=broker, port=port) as server:
        deadline = time.monotonic() + START_S
        while not _answers(f"{url}/healthz"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield url


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):  # noqa: S310 - an address of ours.
            return True
    except OSError:
        return False
