"""Charges as lines of text, and prices as sentences."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from catalog.admin.charge_texts import (
    SHARE_COLUMNS,
    parse_match,
    parse_tiers,
    price_in_words,
    print_match,
    print_tiers,
)
from catalog.models import Charge

TIERS: list[dict[str, str | None]] = [
    {"up_to": "1000", "unit_amount": "0.10", "flat_amount": "5"},
    {"up_to": "5000", "unit_amount": "2", "flat_amount": "0", "package_size": "100"},
    {"up_to": None, "unit_amount": "0.05"},
]


def test_tiers_are_lines_and_back() -> None:
    lines = "1000 0.10 5\n5000 2 0 100\nabove 0.05"

    assert parse_tiers(lines) == TIERS
    assert print_tiers(TIERS) == lines
    assert parse_tiers("\n  Above 1  \n\n") == [{"up_to": None, "unit_amount": "1"}]
    assert parse_tiers("") == []


def test_tiers_of_a_percentage_are_lines_and_back() -> None:
    lines = "1000 1.5 200\nabove 2"
    tiers: list[dict[str, str | None]] = [
        {"up_to": "1000", "rate_percent": "1.5", "flat_amount": "200"},
        {"up_to": None, "rate_percent": "2"},
    ]

    assert parse_tiers(lines, SHARE_COLUMNS) == tiers
    assert print_tiers(tiers) == lines
    with pytest.raises(ValidationError, match="Line 1: write the bound, the percentage"):
        parse_tiers("1000 1.5 200 3\nabove 2", SHARE_COLUMNS)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1000\nabove 1", "Line 1:"),
        ("1000 1 2 3 4\nabove 1", "Line 1:"),
        ("\n1000 1\nabove 1\nabove 2", "Line 3: only the last line"),
        ("1000 1\n2000 2", "Line 2: the last line"),
    ],
)
def test_tiers_that_cannot_be_read_name_their_line(text: str, place: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_tiers(text)

    assert refusal.value.messages[0].startswith(place)


def test_matches_are_lines_and_back() -> None:
    match = {"model": ["gpt-4o", "a, b", 'say "x"'], "region": ["eu"]}

    assert parse_match(print_match(match)) == match
    assert print_match({"model": ["gpt-4o", "kimi"]}) == "model = gpt-4o, kimi"
    assert parse_match("model=gpt-4o ,kimi\n\n") == {"model": ["gpt-4o", "kimi"]}
    assert parse_match("model =") == {"model": []}


@pytest.mark.parametrize(("text", "place"), [("model", "Line 1:"), ("\n = x", "Line 2:"), ("a = 1\na = 2", "Line 2:")])
def test_matches_that_cannot_be_read_name_their_line(text: str, place: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_match(text)

    assert refusal.value.messages[0].startswith(place)


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
