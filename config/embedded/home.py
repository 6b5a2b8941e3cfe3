"""Know where everything lies inside the data directory of the embedded services, and how to reach the servers there."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.embedded.errors import ServicesUnavailable

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DATABASE = "meterdesk"
POSTGRES_PORT = 5432
# Linux allows 107 bytes in the address of a unix socket, macOS 103.
MAX_SOCKET_PATH_BYTES = 100


@dataclass(frozen=True)
class ServiceUrls:
    """Addresses of the two services, in the forms django-environ (also libpq) and redis-py read."""

    database_url: str
    redis_url: str


def default_home() -> Path:
    """Return the data directory ``METERDESK_HOME``, or ``.meterdesk`` in the project root when that is not set."""
    configured = os.environ.get("METERDESK_HOME")
    return Path(configured).resolve() if configured else PROJECT_ROOT / ".meterdesk"


def urls(home: Path) -> ServiceUrls:
    """Return where the embedded services of this home listen when they run; starts and creates nothing."""
    # The port is said aloud because libpq would otherwise take a PGPORT that is meant for another server.
    host = quote(str(socket_directory(home)))
    return ServiceUrls(
        database_url=f"postgresql://{DATABASE}@/{DATABASE}?host={host}&port={POSTGRES_PORT}",
        redis_url=f"unix://{quote(str(valkey_socket(home)))}?db=0",
    )


def postgres_socket(home: Path) -> Path:
    """Return the socket file on which this home's PostgreSQL listens."""
    return socket_directory(home) / f".s.PGSQL.{POSTGRES_PORT}"


def valkey_socket(home: Path) -> Path:
    """Return the socket file on which this home's Valkey listens."""
    return socket_directory(home) / "valkey.sock"


def socket_directory(home: Path) -> Path:
    """Return the directory of both sockets: inside the home, or a short one elsewhere when the home's path is long."""
    home = home.resolve()
    inside = home / "sockets"
    # To libpq a comma separates two hosts, and there is no way to quote it.
    if len(os.fsencode(inside / f".s.PGSQL.{POSTGRES_PORT}")) <= MAX_SOCKET_PATH_BYTES and "," not in str(inside):
        return inside
    # Not TMPDIR: two processes that differ in it would look for the same server in two places.
    # Its owner is checked before use.
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path("/tmp") / f"meterdesk-{os.geteuid()}-{digest}"  # noqa: S108


def prepare_home(home: Path) -> Path:
    """
    Create the home and its socket directory, readable by this user only, and return the home's real path.

    Raises:
        ServicesUnavailable: one of them cannot be created or belongs to somebody else.
    """
    home = home.resolve()
    for directory in (home, socket_directory(home)):
        _own_directory(directory)
    return home


def _own_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise ServicesUnavailable(
            f"The embedded services need the directory {directory}, which cannot be created: {error.strerror}. "
            "Set METERDESK_HOME to a directory of your own."
        ) from error
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise ServicesUnavailable(
            f"{directory} belongs to another user, so the embedded services cannot run there as you. "
            "Set METERDESK_HOME to a directory of your own."
        )
