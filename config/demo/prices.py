"""The price list: what a model costs a token."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

DATA = Path(__file__).parent / "data"
PRICE_LIST = DATA / "genai-prices-simple.csv"
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class TokenPrice:
    """The list price of one model in US dollars per token."""

    input: Decimal
    output: Decimal


def token_price(provider: str, model: str) -> TokenPrice:
    """
    Return the list price of a model; the list gives dollars per million tokens.

    Raises:
        LookupError: the list has no such model.
    """
    with PRICE_LIST.open(newline="") as file:
        for row in csv.DictReader(file):
            if (row["provider"], row["model"]) == (provider, model):
                return TokenPrice(
                    input=Decimal(row["input_per_mtok"]) / MILLION, output=Decimal(row["output_per_mtok"]) / MILLION
                )
    raise LookupError(f"the price list has no {provider} {model}")
