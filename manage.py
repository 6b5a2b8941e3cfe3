#!/usr/bin/env python
"""Run one of the project's commands, with embedded services around it where no others are named."""

import importlib
import os
import signal
import sys
from types import FrameType

from django.core.management import execute_from_command_line

from config.embedded import ServicesUnavailable, default_home, provided_services

COMMANDS_WITHOUT_SERVICES = {"help", "version", "collectstatic", "compilemessages", "makemessages", "startapp"}
HELP_OPTIONS = {"-h", "--help", "--version"}


def main(arguments: list[str]) -> None:
    """Run the command in ``arguments`` (the form of ``sys.argv``); exits with a sentence when services are missing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not needs_services(arguments):
        run(arguments)
        return
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # Whoever ignores a signal for us, as nohup does, is not overruled.
        if signal.getsignal(ending) is signal.SIG_DFL:
            signal.signal(ending, exit_in_order)
    try:
        with provided_services(default_home()):
            run(arguments)
    except ServicesUnavailable as refusal:
        sys.exit(str(refusal))


def needs_services(arguments: list[str]) -> bool:
    """Say whether the command may ask the database or the broker for anything."""
    return (
        len(arguments) > 1 and arguments[1] not in COMMANDS_WITHOUT_SERVICES and HELP_OPTIONS.isdisjoint(arguments[1:])
    )


def run(arguments: list[str]) -> None:
    """Hand over to Django, with our Celery app as the current one."""
    # Not at the top: the app may read the settings, and these the addresses of the services.
    importlib.import_module("config.celery")
    execute_from_command_line(arguments)


def exit_in_order(number: int, _frame: FrameType | None) -> None:
    """Turn a deadly signal into an exit, so that the services are let go of."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main(sys.argv)
