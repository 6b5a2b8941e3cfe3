"""``manage.py create_operator_key NAME --scope …``: create a key of the REST API and print it once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config.kernel.commands import BatchCommand
from config.kernel.secrets import issued_secrets
from credentials.models import Scope
from credentials.operations.operator_keys import create_operator_key


class Command(BatchCommand):
    """Create an operator key."""

    help = "Create an operator key and print its secret, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the key's name and its scopes."""
        super().add_arguments(parser)
        parser.add_argument("name", help="what history shows as the actor, for example the integrating system")
        parser.add_argument("--scope", action="append", required=True, choices=Scope.values, dest="scopes")

    def run(self, *, now: datetime, **options: Any) -> None:
        """Create the key and print it."""
        with issued_secrets() as issued:
            key = create_operator_key(name=options["name"], scopes=options["scopes"], now=now)
        self.stdout.write(f"{key.id} {', '.join(key.scopes)}", style_func=self.style.SUCCESS)
        self.stdout.write(issued[0].shown_once["key"])
