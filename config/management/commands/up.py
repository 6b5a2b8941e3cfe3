"""Run the whole product on this machine with one command: web server, worker and scheduler."""

import os
import shlex
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho.manager import Manager

#: Workers that mostly wait for answers of gateways.
GATEWAY_POOL = ("--pool", "threads", "--concurrency", "8")
START_TIMEOUT_S = 60.0
ENDED_BY_OPERATOR = {128 + signal.SIGINT, 128 + signal.SIGTERM}


class Command(BaseCommand):
    """Migrate, then serve until Ctrl-C, SIGTERM or the end of one of the processes."""

    help = "Migrates, then runs the web server, the Celery worker and the Celery beat until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the address to serve on, and a way to skip the migrations."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
        parser.add_argument("--no-migrate", action="store_true", help="leave the database schema as it is")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Serve; raises CommandError when the port is taken or one of the processes ended by itself."""
        host, port = options["host"], options["port"]
        refuse_taken_port(host, port)
        if not options["no_migrate"]:
            call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)
        self.before_serving()
        self.serve(host, port)

    def before_serving(self) -> None:
        """Do nothing between the migrations and the start; a command that builds on this one fills in data here."""

    def serve(self, host: str, port: int) -> None:
        """Run the processes and return when the operator has ended them; raises CommandError when one ended first."""
        manager = ProcessGroup()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        for name, command in processes(host, port).items():
            manager.add_process(name, shlex.join(command), env=environment, cwd=str(settings.BASE_DIR))
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        over = threading.Event()
        threading.Thread(target=self.announce, args=(host, port, over), daemon=True).start()
        try:
            manager.loop()
        finally:
            over.set()
        if manager.returncode not in ENDED_BY_OPERATOR:
            raise CommandError(f"A process ended by itself (code {manager.returncode}); see its last lines above.")

    def announce(self, host: str, port: int, over: threading.Event) -> None:
        """Print the admin's address as soon as the port answers, unless ``over`` is set first."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not over.wait(0.2) and time.monotonic() < deadline:
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                continue
            self.stdout.write(self.style.SUCCESS(f"Meterdesk answers at http://{netloc(host, port)}/admin/"))
            return


class ProcessGroup(Manager):  # type: ignore[misc]
    """Honcho's manager, made safe against a signal that comes before all processes have reported their start."""

    def terminate(self) -> None:
        """Ask all processes to end, as soon as it is known which they are."""
        # Without this a Ctrl-C in the first moments ends the manager alone, and the processes stay behind.
        if self._all_started():
            super().terminate()
        else:
            retry = threading.Timer(0.1, self.terminate)
            retry.daemon = True
            retry.start()


def processes(host: str, port: int) -> dict[str, list[str]]:
    """Return the command line of each process by the name it bears in the output."""
    schedule = Path(settings.METERDESK_HOME) / "celerybeat-schedule"
    schedule.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    gunicorn = ["gunicorn", "config.wsgi:application", "--bind", netloc(host, port)]
    celery = ["celery", "-A", "config.celery"]
    modules = {
        "web": [*gunicorn, "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"],
        "worker": [*celery, "worker", "-Q", "celery", "--concurrency", "2", "--loglevel", "INFO"],
        "gateways": [*celery, "worker", "-Q", "gateways", "-n", "gateways@%h", *GATEWAY_POOL, "--loglevel", "INFO"],
        "beat": [*celery, "beat", "-s", str(schedule), "--loglevel", "INFO"],
    }
    # The shell that honcho starts must not stand between its signals and the process, hence exec.
    return {name: ["exec", sys.executable, "-m", *module] for name, module in modules.items()}


def netloc(host: str, port: int) -> str:
    """Join both as in a URL, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_taken_port(host: str, port: int) -> None:
    """
    Return when a server could listen there.

    Raises:
        CommandError: somebody else does, or this machine has no such address, or we may not use the port.
    """
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise CommandError(
            f"Cannot listen on {netloc(host, port)}: {reason}. Choose another with --port or --host."
        ) from error
