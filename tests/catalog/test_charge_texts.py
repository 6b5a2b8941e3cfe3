"""Prices as sentences."""

from __future__ import annotations

import pytest

from catalog.admin.charge_texts import price_in_words
from catalog.models import Charge

TIERS: list[dict[str, str | None]] = [
    {"up_to": "1000", "unit_amount": "0.10", "flat_amount": "5"},
    {"up_to": "5000", "unit_amount": "2", "flat_amount": "0", "package_size": "100"},
    {"up_to": None, "unit_amount": "0.05"},
]


@pytest.mark.parametrize(
    ("model", "properties", "words"),
    [
        ("STANDARD", {"unit_amount": "0.0000025"}, ["$0.0000025 per unit"]),
        (
            "PACKAGE",
            {"package_size": "1000", "amount": "5", "free_units": "100"},
            ["$5.00 per started 1000 units", "the first 100 units are free"],
        ),
        ("PACKAGE", {"package_size": "1000", "amount": "5"}, ["$5.00 per started 1000 units"]),
        (
            "GRADUATED",
            {"tiers": TIERS},
            [
                "0 to 1000: $0.10 per unit + $5.00 once",
                "1000 to 5000: $2.00 per started 100 units",
                "above 5000: $0.05 per unit",
            ],
        ),
        ("PERCENTAGE", {"rate_percent": "2.90"}, ["2.9% of each event's amount"]),
        (
            "PERCENTAGE",
            {"rate_percent": "1.3", "fixed_amount": "0.3", "free_events": "3", "free_amount": "250",
             "minimum_per_event": "1.75", "maximum_per_event": "12"},
            [
                "1.3% of each event's amount + $0.30",
                "the first 3 events are free, within the first $250.00",
                "at least $1.75 per event",
                "at most $12.00 per event",
            ],
        ),
        (
            "PERCENTAGE",
            {"rate_percent": "1", "free_amount": "250"},
            ["1% of each event's amount", "the first $250.00 is free"],
        ),
        (
            "PERCENTAGE",
            {"rate_percent": "1", "free_events": "3"},
            ["1% of each event's amount", "the first 3 events are free"],
        ),
        (
            "GRADUATED_PERCENTAGE",
            {"tiers": [{"up_to": "10", "rate_percent": "1.5", "flat_amount": "2"},
                       {"up_to": None, "rate_percent": "1"}]},
            ["0 to 10: 1.5% + $2.00 once", "above 10: 1%"],
        ),
        ("DYNAMIC", {"property": "cost"}, ["what each event carries as cost"]),
        ("DYNAMIC", {"property": "cost", "multiplier": "1.20"}, ["what each event carries as cost, times 1.2"]),
    ],
)  # fmt: skip
def test_prices_are_told_in_words(model: str, properties: dict[str, object], words: list[str]) -> None:
    assert price_in_words(Charge(model=model, properties=properties), "USD") == words
