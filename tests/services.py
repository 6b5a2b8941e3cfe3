"""
Give the suite servers of its own (a pytest plugin; loaded with ``-p tests.services``).

They live in a throw-away data directory and are started before Django's settings are read. With pytest-xdist only the
controller starts them; its workers inherit the addresses. Servers named in ``DATABASE_URL`` and ``REDIS_URL`` are used
instead where these are set.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from config.embedded import ServicesUnavailable, provided_services, stop_unused_services

PREFIX = "meterdesk-tests-"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Start the services; as a wrapper it comes before pytest-django, which reads the settings in the same hook."""
    # A server thread of the suite that kept its connection would keep the database from being dropped.
    os.environ["DATABASE_CONN_MAX_AGE"] = "0"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        running = ExitStack()
        # Unlike pytest_unconfigure, a cleanup also runs when pytest gives up before it is configured.
        early_config.add_cleanup(running.close)
        try:
            running.enter_context(services_of_a_run())
        except ServicesUnavailable as refusal:
            raise pytest.UsageError(str(refusal)) from refusal
    return (yield)


@contextmanager
def services_of_a_run() -> Iterator[None]:
    """Keep services running inside the block and ``METERDESK_HOME`` on their throw-away directory."""
    remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    former = os.environ.get("METERDESK_HOME")
    os.environ["METERDESK_HOME"] = str(home)
    try:
        with provided_services(home, durable=False):
            yield
    finally:
        if former is None:
            del os.environ["METERDESK_HOME"]
        else:
            os.environ["METERDESK_HOME"] = former
        shutil.rmtree(home, ignore_errors=True)


def remove_leftovers() -> None:
    """Stop and delete what runs that were killed have left in the temporary directory."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Without the lock file the directory is that of a run which is only just beginning; and one that is just ending
        # deletes its own under our hands.
        with suppress(FileNotFoundError):
            if home.stat().st_uid == os.geteuid() and (home / "users.lock").exists() and stop_unused_services(home):
                shutil.rmtree(home, ignore_errors=True)
