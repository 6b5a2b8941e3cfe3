"""Start, recognise and stop one server process that outlives the process which started it."""

import importlib.util
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from config.embedded import locks
from config.embedded.errors import ServicesUnavailable

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
POLL_S = 0.02


class Server(ABC):
    """
    One server of one home; start and stop it only while holding the home's start lock.

    Whether it lives is not read from a pid file, which lies after ``kill -9`` and a restart of the machine: the server
    and all its children hold an inherited ``flock``, so the lock is free exactly when the last of them is gone.
    """

    name: ClassVar[str]
    stop_signals: ClassVar[tuple[signal.Signals, signal.Signals]]
    """How to ask it to stop, and how to insist when it has not within :data:`STOP_TIMEOUT_S`."""

    def __init__(self, home: Path, *, durable: bool) -> None:
        """Describe the server of this home; ``durable=False`` trades survival of a power cut for speed."""
        self.home = home
        self.durable = durable
        self.log = home / f"{self.name}.log"
        self.lock = home / f"{self.name}.lock"

    @property
    @abstractmethod
    def socket(self) -> Path:
        """The unix socket it listens on."""

    @abstractmethod
    def prepare(self) -> list[str]:
        """Make its files ready for a start and return the command line that runs it in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it takes requests now."""

    def ensure_running(self) -> None:
        """
        Return when the server takes requests, after starting it where it was not running.

        Raises:
            ServicesUnavailable: it ended while starting, or did not get ready in :data:`START_TIMEOUT_S`.
        """
        launched = False
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_ready():
            if (lock := locks.try_exclusive(self.lock)) is not None:
                try:
                    if launched:
                        raise ServicesUnavailable(f"{self.name} ended while starting.{self._last_words()}")
                    self._launch(lock)
                    launched = True
                finally:
                    locks.release(lock)
            if time.monotonic() > deadline:
                raise ServicesUnavailable(f"{self.name} did not get ready in time.{self._last_words()}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """
        Return when the server and all its processes are gone; does nothing where it is not running.

        Raises:
            ServicesUnavailable: it is still there after being told twice.
        """
        for request in self.stop_signals:
            if self._end(request):
                return
        raise ServicesUnavailable(f"{self.name} does not stop.{self._last_words()}")

    def _end(self, request: signal.Signals) -> bool:
        told: int | None = None

        def is_gone() -> bool:
            nonlocal told
            if (lock := locks.try_exclusive(self.lock)) is not None:
                locks.release(lock)
                return True
            # A server that is only just starting does not listen yet, and so has no pid to be told at first.
            if told is None and (told := listener_pid(self.socket)) is not None:
                with suppress(ProcessLookupError):
                    os.kill(told, request)
            return False

        return wait_until(is_gone, STOP_TIMEOUT_S)

    def _launch(self, lock: int) -> None:
        command = self.prepare()
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # The shell ends at once and leaves the server to init, so nobody here has to reap it. A session of its own
            # keeps the terminal's Ctrl-C away from it.
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
                pass_fds=(lock,),
                check=True,
            )
        finally:
            os.close(log)

    def _last_words(self) -> str:
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-8:]
        return "\n".join([f" The end of {self.log}:", *lines])


def wheel_directory(package: str) -> Path:
    """
    Return the directory of an installed package without importing it.

    Raises:
        ServicesUnavailable: the wheel is not installed, as in production.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServicesUnavailable(
            f"DATABASE_URL and REDIS_URL must both be set: the wheel {package}, which would stand in for a missing one "
            "in development, is not installed (it is in the dependency group dev)."
        )
    return Path(spec.submodule_search_locations[0])


def listener_pid(path: Path) -> int | None:
    """Return the process that listens on this unix socket, as the kernel knows it, or None when nobody does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
        except OSError:
            return None
        if sys.platform == "darwin":
            # These are SOL_LOCAL and LOCAL_PEERPID of <sys/un.h>, which the socket module does not name.
            return client.getsockopt(0, 2) or None
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid or None


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Poll until the condition holds, and say whether it did before the time was over."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
