"""Times of usage files: how they may be written, and how an import moves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing.imports import Mapped, Row, Shift, UnreadableRow
from billing.models import UsageEvent
from tests.billing.imports import COLUMNS, import_usage, make_metered_subscription, write_file

BERLIN = ZoneInfo("Europe/Berlin")


def moment_of(value: object, zone: ZoneInfo = BERLIN) -> datetime | None:
    """Return when a row with this time happened."""
    return Mapped(fields={"timestamp": "at"}, constants={}, zone=zone).timestamp(Row(number=1, columns={"at": value}))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2023-11-16T18:17:03+00:00", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("2023-11-16T18:17:03Z", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("2023-11-16 23:47:03+05:30", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        # Seven digits of a second, as .NET and so Azure's traces write them; the seventh is cut off.
        ("2023-11-16 18:17:03.9799609Z", datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)),
        # Without an offset it is the clock of the zone, in winter and in summer.
        ("2023-11-16 18:17:03", datetime(2023, 11, 16, 17, 17, 3, tzinfo=UTC)),
        ("2023-07-16 18:17:03", datetime(2023, 7, 16, 16, 17, 3, tzinfo=UTC)),
        # An hour that the clock shows twice is the first of the two.
        ("2023-10-29 02:30:00", datetime(2023, 10, 29, 0, 30, tzinfo=UTC)),
        ("2023-11-16", datetime(2023, 11, 15, 23, 0, tzinfo=UTC)),
        # Numbers are milliseconds since 1970, whatever the zone.
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1700158623979", datetime(2023, 11, 16, 18, 17, 3, 979000, tzinfo=UTC)),
        (1700158623979, datetime(2023, 11, 16, 18, 17, 3, 979000, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_it_was_meant(written: object, meant: datetime) -> None:
    moment = moment_of(written)

    # Times of two zones in an hour that the clock shows twice are never equal to Python.
    assert moment is not None
    assert moment.astimezone(UTC) == meant


@pytest.mark.parametrize("written", ["", "yesterday", "16.11.2023", "2023-02-30", None])
def test_what_is_no_time_is_told(written: object) -> None:
    with pytest.raises(UnreadableRow):
        moment_of(written)


def test_without_a_column_of_times_a_row_has_none() -> None:
    assert Mapped(fields={}, constants={}, zone=BERLIN).timestamp(Row(number=1, columns={"at": "0"})) is None


def test_a_shift_keeps_the_distances_and_a_stretch_their_proportions() -> None:
    first, start = datetime(2023, 11, 16, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    last, end = first + timedelta(hours=1), start + timedelta(days=31)

    shift = Shift(first=first, last=last, start=start, end=None)
    stretch = Shift(first=first, last=last, start=start, end=end)

    assert [shift(first), shift(last)] == [start, start + timedelta(hours=1)]
    assert [stretch(first), stretch(first + timedelta(minutes=30)), stretch(last)] == [
        start,
        start + timedelta(days=15.5),
        end,
    ]


def test_a_single_moment_has_nothing_to_stretch() -> None:
    moment, start = datetime(2023, 11, 16, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)

    assert Shift(first=moment, last=moment, start=start, end=start + timedelta(days=1))(moment) == start


@pytest.mark.django_db
def test_times_without_offset_are_those_of_the_zone_that_is_named(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    path = write_file(tmp_path / "usage.csv", "at,tokens", "2023-11-16 18:17:03.9799600,1")

    import_usage(path, subscription.id, *COLUMNS, "--timezone=Asia/Kolkata")

    assert UsageEvent.objects.get().timestamp == datetime(2023, 11, 16, 12, 47, 3, 979960, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--starts-at=2023-11-20",), ["2023-11-20T00:00:00", "2023-11-20T01:00:00", "2023-11-20T04:00:00"]),
        (
            ("--starts-at=2023-11-20", "--until=2023-11-21T00:00:00Z"),
            ["2023-11-20T00:00:00", "2023-11-20T06:00:00", "2023-11-21T00:00:00"],
        ),
    ],
)
def test_times_can_be_moved_and_stretched_to_a_stretch_of_time(
    tmp_path: Path, options: tuple[str, ...], expected: list[str]
) -> None:
    subscription = make_metered_subscription("tokens")
    times = ["2023-11-02T01:00:00Z", "2023-11-02T00:00:00Z", "2023-11-02T04:00:00Z"]
    path = write_file(tmp_path / "usage.csv", "at,tokens", *(f"{time},1" for time in times))

    import_usage(path, subscription.id, *COLUMNS, *options)

    moments = UsageEvent.objects.order_by("timestamp").values_list("timestamp", flat=True)
    assert [f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in moments] == expected
