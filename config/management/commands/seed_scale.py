"""``manage.py seed_scale``: fill an installation with made-up customers, to see how lists behave at their size."""

from __future__ import annotations

from argparse import ArgumentTypeError
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.demo.scale import seed_customers

MOST = 10_000_000


def customers_asked(text: str) -> int:
    """Return a number of customers between 1 and ten millions."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"“{text}” is no number between 1 and {MOST}")
    return int(text)


class Command(BaseCommand):
    """Add made-up customers."""

    help = "Add made-up customers, each with its history; for test installations only, they cannot be removed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many."""
        parser.add_argument("--customers", type=customers_asked, required=True, metavar="N", help="how many to add")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add them and say how long it took."""
        began = monotonic()
        for done in seed_customers(options["customers"]):
            self.stdout.write(f"{done} customers after {monotonic() - began:.1f} s")
