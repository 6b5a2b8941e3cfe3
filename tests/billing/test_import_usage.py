"""``manage.py import_usage``: every row of a file is counted once, and what cannot be is named by its row."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum

from billing.models import MetricHour, UsageEvent, UsageHour
from config.kernel.ids import TypeID
from tests.billing.imports import (
    AZURE_COLUMNS,
    AZURE_TRACE,
    COLUMNS,
    START,
    import_usage,
    make_metered_subscription,
    units,
    write_file,
)
from tests.factories import make_subscriber

pytestmark = pytest.mark.django_db

CSV = ("at,tokens,note", "2023-11-16 18:00:00+00:00,5,a", "2023-11-16 18:30:00+00:00,7,", '2023-11-17,"30",x')
JSON = (
    '{"at": "2023-11-16 18:00:00+00:00", "tokens": 5, "note": "a"}',
    "",
    '{"at": "2023-11-16 18:30:00+00:00", "tokens": 7.0}',
    '{"at": "2023-11-17", "tokens": "30"}',
)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("usage.csv", CSV),
        ("usage.csv.gz", CSV),
        ("USAGE.CSV", CSV),
        ("from-a-spreadsheet.csv", ("\ufeff" + CSV[0], *CSV[1:])),
        ("from-windows.csv", tuple(f"{line}\r" for line in CSV)),
        ("usage.jsonl", JSON),
        ("usage.jsonl.gz", JSON),
        ("usage.ndjson", JSON),
    ],
)
def test_the_same_rows_count_the_same_in_every_format(tmp_path: Path, name: str, lines: tuple[str, ...]) -> None:
    subscription = make_metered_subscription("tokens")

    result = import_usage(write_file(tmp_path / name, *lines), subscription.id, *COLUMNS)

    assert (result.summary, result.exit_code) == ("3 accepted, 0 duplicate, 0 rejected", 0)
    assert (units("tokens"), units("calls")) == (42, 3)


@pytest.mark.parametrize("name", ["usage.xlsx", "usage", "usage.gz", "usage.csv.zip"])
def test_a_file_whose_name_tells_no_format_is_refused(tmp_path: Path, name: str) -> None:
    subscription = make_metered_subscription("tokens")

    result = import_usage(write_file(tmp_path / name, *CSV), subscription.id, *COLUMNS)

    assert result.exit_code == 1
    assert "ends in .csv, .jsonl or .ndjson" in result.summary
    assert not UsageEvent.objects.exists()


def test_a_day_of_a_real_coding_assistant_is_counted_to_the_token_and_again_changes_nothing() -> None:
    """
    The figures were counted by other means: TOTALS.json beside the trace.

    ``azure-llm-2023-code``: rows, input_tokens, output_tokens, by_utc_hour; the trace is Azure's
    ``AzureLLMInferenceTrace_code.csv`` (Splitwise, ISCA 2024).
    """
    subscription = make_metered_subscription("input_tokens", "output_tokens")

    first = import_usage(AZURE_TRACE, subscription.id, *AZURE_COLUMNS)
    counted = list(MetricHour.objects.order_by("pk").values())
    again = import_usage(AZURE_TRACE, subscription.id, *AZURE_COLUMNS)

    assert first.summary == "8819 accepted, 0 duplicate, 0 rejected"
    assert again.summary == "0 accepted, 8819 duplicate, 0 rejected"
    assert list(MetricHour.objects.order_by("pk").values()) == counted
    assert (units("calls"), units("input_tokens"), units("output_tokens")) == (8819, 18_059_974, 245_896)
    assert UsageEvent.objects.count() == 8819
    assert by_hour() == {
        "2023-11-16 18": (7717, 15_710_990, 213_958),
        "2023-11-16 19": (1102, 2_348_984, 31_938),
    }
    hours = UsageHour.objects.aggregate(requests=Sum("events"), tokens=Sum("tokens"))
    assert hours == {"requests": 8819, "tokens": 18_059_974 + 245_896}
    call_command("verify_books")


def by_hour() -> dict[str, tuple[Any, ...]]:
    """Return calls, input and output tokens by hour of UTC."""
    rows = MetricHour.objects.values_list("hour", "metric__code").annotate(sum=Sum("total"))
    sums = {(f"{hour:%Y-%m-%d %H}", code): total for hour, code, total in rows}
    codes = ("calls", "input_tokens", "output_tokens")
    return {hour: tuple(sums[hour, code] for code in codes) for hour, _ in sums}


def test_bad_rows_are_named_by_their_numbers_and_lose_nothing_else(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    lines = [
        "at,tokens",
        "2023-11-16T18:00:00Z,1",
        "yesterday,1",
        "2023-11-16T18:00:00Z,many",
        "2023-11-16T18:00:00Z",
        "2023-11-16T18:00:00Z,1,1",
        "2024-01-01T00:00:00Z,1",
        "2023-11-16T18:00:00Z,1",
    ]

    result = import_usage(write_file(tmp_path / "usage.csv", *lines), subscription.id, *COLUMNS)

    assert result.exit_code == 1
    assert result.summary == "2 accepted, 0 duplicate, 5 rejected"
    assert dict(complaint.split(": ", 1) for complaint in result.complaints) == {
        "row 2": "“yesterday” is no time",
        "row 3": "'properties.tokens' is a number, as the metric tokens sums it",
        "row 4": "the row has another number of columns than the header",
        "row 5": "the row has another number of columns than the header",
        "row 6": "'timestamp' is more than 5 minutes ahead",
    }
    assert set(UsageEvent.objects.values_list("transaction_id", flat=True)) == {"usage.csv:1", "usage.csv:7"}


def test_bad_lines_of_json_are_named_by_their_numbers_and_lose_nothing_else(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    lines = [
        '{"at": "2023-11-16", "tokens": 1}',
        '{"at": ',
        "[1]",
        '{"tokens": 1}',
        '{"at": "2023-11-16", "tokens": 1}',
    ]

    result = import_usage(write_file(tmp_path / "usage.jsonl", *lines), subscription.id, *COLUMNS)

    assert (result.summary, result.exit_code) == ("2 accepted, 0 duplicate, 3 rejected", 1)
    assert [complaint.split(":")[0] for complaint in result.complaints] == ["row 2", "row 3", "row 4"]


def test_another_file_of_the_same_name_is_rejected_row_by_row_and_counts_under_a_source_of_its_own(
    tmp_path: Path,
) -> None:
    subscription = make_metered_subscription("tokens")
    import_usage(write_file(tmp_path / "usage.csv", *CSV), subscription.id, *COLUMNS)
    other = write_file(tmp_path / "usage.csv", CSV[0], CSV[1], "2023-11-16 18:30:00+00:00,8,")

    result = import_usage(other, subscription.id, *COLUMNS)

    assert (result.summary, result.exit_code) == ("0 accepted, 1 duplicate, 1 rejected", 1)
    assert result.complaints == ["row 2: Another event was sent under this transaction id"]
    assert units("tokens") == 42
    named = import_usage(other, subscription.id, *COLUMNS, "--source=november")
    assert named.summary == "2 accepted, 0 duplicate, 0 rejected"
    assert units("tokens") == 42 + 13


def test_ids_of_the_file_itself_count_a_row_once_wherever_it_stands(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    rows = ["2023-11-16,5,a", "2023-11-16,7,b"]
    there = write_file(tmp_path / "one.csv", "at,tokens,id", *rows)
    back = write_file(tmp_path / "two.csv", "at,tokens,id", *reversed(rows))

    import_usage(there, subscription.id, *COLUMNS, "--map=transaction_id=id")
    result = import_usage(back, subscription.id, *COLUMNS, "--map=transaction_id=id")

    assert result.summary == "0 accepted, 2 duplicate, 0 rejected"
    assert units("tokens") == 12


def test_an_unknown_subscription_is_refused_before_anything_is_counted(tmp_path: Path) -> None:
    result = import_usage(write_file(tmp_path / "usage.csv", *CSV), TypeID.new("sub"), *COLUMNS)

    assert (result.exit_code, result.summary.endswith("not found")) == (1, True)
    assert not UsageEvent.objects.exists()


def test_usage_before_the_subscription_began_is_its_customers_and_unrated(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    at_start, before = START.isoformat(), (START - timedelta(microseconds=1)).isoformat()
    path = write_file(tmp_path / "usage.csv", "at,tokens", f"{before},5", f"{at_start},7")

    import_usage(path, subscription.id, *COLUMNS)

    kept = UsageEvent.objects.order_by("timestamp").values_list("customer", "subscription")
    assert list(kept) == [(subscription.customer_id, None), (subscription.customer_id, subscription.id)]
    assert units("tokens") == 7


def test_what_is_no_id_of_a_subscription_is_refused(tmp_path: Path) -> None:
    result = import_usage(write_file(tmp_path / "usage.csv", *CSV), "sub_nonsense", *COLUMNS)

    assert (result.summary, result.exit_code) == ("Subscription sub_nonsense not found", 1)


@pytest.mark.parametrize(("name", "lines"), [("usage.csv", CSV), ("usage.jsonl.gz", JSON)], ids=["CSV", "JSON lines"])
def test_a_misspelt_column_stops_the_import_before_anything_is_counted(
    tmp_path: Path, name: str, lines: tuple[str, ...]
) -> None:
    subscription = make_metered_subscription("tokens")
    path = write_file(tmp_path / name, *lines)

    result = import_usage(path, subscription.id, "--map=timestamp=at", "--map=tokens=Tokens", "--map=x=y")

    assert (result.summary, result.exit_code) == (f"--map: {name} has no column Tokens, y", 1)
    assert not UsageEvent.objects.exists()
    assert import_usage(path, subscription.id, *COLUMNS).exit_code == 0


def test_a_column_that_only_some_lines_of_json_have_is_no_mistake(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    path = write_file(tmp_path / "usage.jsonl", '{"at": "2023-11-16"}', '{"at": "2023-11-16", "tokens": 4}')

    assert import_usage(path, subscription.id, *COLUMNS).exit_code == 0
    assert (units("tokens"), units("calls")) == (4, 2)


def test_a_file_with_a_header_and_no_rows_is_imported_in_full(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")

    result = import_usage(write_file(tmp_path / "usage.csv", CSV[0]), subscription.id, *COLUMNS)

    assert (result.summary, result.exit_code) == ("0 accepted, 0 duplicate, 0 rejected", 0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--until=2023-11-21",), "--until goes with --starts-at"),
        (("--starts-at=2023-11-21",), "--starts-at needs a column of times"),
    ],
)
def test_options_that_need_another_say_so(tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    subscription = make_metered_subscription("tokens")

    result = import_usage(write_file(tmp_path / "usage.csv", *CSV), subscription.id, *options)

    assert result.exit_code == 1
    assert complaint in result.summary


def test_a_column_says_who_used_it_and_may_be_empty(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    bob = make_subscriber(customer=subscription.customer, email="bob@acme.com", subscriber_id="17")
    lines = [
        "at,tokens,who",
        "2023-11-16T18:00:00Z,1,BOB@acme.com",
        "2023-11-16T18:00:00Z,2,17",
        "2023-11-16T18:00:00Z,4,",
        "2023-11-16T18:00:00Z,8,nobody@acme.com",
    ]

    result = import_usage(write_file(tmp_path / "usage.csv", *lines), subscription.id, *COLUMNS, "--map=subscriber=who")

    assert result.summary == "4 accepted, 0 duplicate, 0 rejected"
    rows = UsageHour.objects.order_by("tokens")
    assert [(row.subscriber_id, row.tokens) for row in rows] == [(bob.id, 3), (None, 12)]
