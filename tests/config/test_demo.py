"""The demo's house: whenever it is furnished, its figures are those of the raw traces and the published prices."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from billing.models import Invoice, PaymentStatus, UsageEvent
from billing.queries.current_usage import current_usage
from catalog.models import Audience, PlanStatus, Product, RatePlan
from catalog.queries.plan_diffs import Change, plan_diff, version_before
from config.demo.house import furnish, is_furnished
from config.management.commands import demo
from credentials.models import OperatorKey
from customers.models import Customer, CustomerStatus

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[2] / "config" / "demo" / "data"
CENT = Decimal("0.01")

#: The first half hour of a month in UTC is still the last day of the month before in New York.
MOMENTS = [
    pytest.param(datetime(2026, 3, 10, 12, 0, tzinfo=UTC), id="in the middle of a month"),
    pytest.param(datetime(2026, 4, 1, 0, 30, tzinfo=UTC), id="half past midnight on the 1st in UTC"),
    pytest.param(datetime(2026, 4, 1, 4, 0, tzinfo=UTC), id="midnight on the 1st in New York"),
    pytest.param(datetime(2026, 3, 31, 23, 59, tzinfo=UTC), id="31 March, April already in Berlin"),
    pytest.param(datetime(2026, 3, 31, 22, 0, tzinfo=UTC), id="midnight on the 1st in Berlin"),
    pytest.param(datetime(2026, 3, 31, 22, 0, 30, tzinfo=UTC), id="half a minute later"),
    pytest.param(datetime(2028, 2, 29, 12, 0, tzinfo=UTC), id="29 February"),
    pytest.param(datetime(2027, 1, 1, 12, 0, tzinfo=UTC), id="New Year"),
]


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a trace."""
    with gzip.open(DATA / name, "rt", newline="") as file:
        yield from csv.DictReader(file)


def price_of(provider: str, model: str) -> tuple[Decimal, Decimal]:
    """Return the published dollars per million input and output tokens."""
    with (DATA / "genai-prices-simple.csv").open(newline="") as file:
        [row] = [row for row in csv.DictReader(file) if (row["provider"], row["model"]) == (provider, model)]
    return Decimal(row["input_per_mtok"]), Decimal(row["output_per_mtok"])


def cost(tokens: int, dollars_per_million: Decimal) -> Decimal:
    """Return what the tokens cost, unrounded."""
    return tokens * dollars_per_million / 1_000_000


@pytest.mark.parametrize("now", MOMENTS)
def test_a_furnished_house_says_what_the_raw_traces_and_published_prices_say(now: datetime) -> None:
    furnish(now=now)

    assert_last_month_is_on_the_invoice(now)
    assert_this_month_is_running(now)
    assert_the_next_prices_are_drafted()
    assert not UsageEvent.objects.filter(timestamp__gt=now).exists()
    assert Customer.objects.get(external_id="demo-heron").status(now) is CustomerStatus.SUSPENDED
    call_command("verify_books", stdout=StringIO())


def assert_last_month_is_on_the_invoice(now: datetime) -> None:
    """Assert that Acme's one invoice is the coding assistant's trace to the cent, and what is paid of it."""
    rows = list(rows_of("azure-llm-2023-code.csv.gz"))
    tokens = [sum(int(row[column]) for row in rows) for column in ("ContextTokens", "GeneratedTokens")]
    prices = price_of("openai", "gpt-4o")
    usage = [cost(*pair).quantize(CENT, ROUND_HALF_UP) for pair in zip(tokens, prices, strict=True)]
    invoice = Invoice.objects.get(customer__external_id="demo-acme")
    lines = list(invoice.lines.order_by("position"))

    assert tokens == [18_059_974, 245_896]
    assert usage == [Decimal("45.15"), Decimal("2.46")]
    assert [(line.units, line.amount) for line in lines] == [
        (1, Decimal(49)),
        (tokens[0], usage[0]),
        (tokens[1], usage[1]),
    ]
    assert invoice.total == Decimal(49) + sum(usage)
    assert (invoice.currency, invoice.status, invoice.issued_at) == ("USD", "finalized", now)
    assert (invoice.amount_due, invoice.payment_status(now)) == (invoice.total - 50, PaymentStatus.PARTIAL)


def assert_the_next_prices_are_drafted() -> None:
    """Assert that the storefront shows one product, and that the next version of its plan can be compared."""
    [product] = Product.objects.in_storefront(Audience.EXTERNAL)
    [draft] = RatePlan.objects.filter(version=2)
    before = version_before(draft)
    assert before is not None
    diff = plan_diff(draft, before)

    assert (draft.status, draft.product) == (PlanStatus.DRAFT, product)
    assert [term.field for term in diff.terms] == ["amount", "trial_days", "minimum_commitment"]
    assert [one.change for one in diff.charges] == [*[Change.CHANGED] * 6, Change.ADDED]


def assert_this_month_is_running(now: datetime) -> None:
    """Assert that Nordlicht's running period is the chat trace, unrounded."""
    rows = list(rows_of("mooncake-conversation.csv.gz"))
    tokens = [sum(int(row[column]) for row in rows) for column in ("input_tokens", "output_tokens")]
    input_cost, output_cost = map(cost, tokens, price_of("moonshotai", "kimi-k2"))
    [running] = current_usage(Customer.objects.get(external_id="demo-nordlicht"), now=now)

    # The figures of the trace, counted by other means, are in TOTALS.json beside it.
    assert (len(rows), *tokens) == (12_031, 144_793_823, 4_122_048)
    assert sum(charge.units for charge in running.charges) == sum(tokens)
    assert running.amount == input_cost + output_cost
    assert max(charge.events for charge in running.charges) == len(rows)


def test_a_second_start_furnishes_nothing_and_hands_out_a_new_key() -> None:
    assert not is_furnished()
    out = StringIO()
    command = demo.Command(stdout=out)

    command.before_serving()
    counts = (Customer.objects.count(), UsageEvent.objects.count(), Invoice.objects.count())
    first = out.getvalue()
    command.before_serving()

    assert is_furnished()
    assert (Customer.objects.count(), UsageEvent.objects.count(), Invoice.objects.count()) == counts
    assert first.startswith("Filling the house")
    assert "Filling" not in out.getvalue()[len(first) :]
    assert OperatorKey.objects.count() == 2
    assert OperatorKey.objects.filter(revoked_at=None).count() == 1
