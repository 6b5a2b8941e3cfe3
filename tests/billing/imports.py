"""Usage files of the tests and the command that imports them."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command
from django.db.models import Sum

from billing.models import MetricHour
from customers.models import Subscription
from tests.factories import make_charge, make_metric, make_plan, make_subscription

#: When the subscriptions of these tests begin; the trace of Azure is of a day in that month.
START = datetime(2023, 11, 1, tzinfo=UTC)
#: When the files are imported.
IMPORTED = datetime(2023, 12, 1, tzinfo=UTC)

AZURE_TRACE = Path(__file__).parents[2] / "config" / "demo" / "data" / "azure-llm-2023-code.csv.gz"
AZURE_COLUMNS = (
    "--map=timestamp=TIMESTAMP",
    "--map=input_tokens=ContextTokens",
    "--map=output_tokens=GeneratedTokens",
)
COLUMNS = ("--map=timestamp=at", "--map=tokens=tokens")


@dataclass(frozen=True, kw_only=True)
class Import:
    """What the command said, and how it ended."""

    summary: str
    complaints: list[str]
    exit_code: int


def make_metered_subscription(*properties: str, starts_at: datetime = START) -> Subscription:
    """Return a subscription whose plan charges the sum of each property of the events ``call``, and the calls."""
    metrics = [make_metric(code=name, event_type="call", aggregation="SUM", property=name) for name in properties]
    metrics.append(make_metric(code="calls", event_type="call"))
    return make_subscription(plan=make_plan(charges=[make_charge(one) for one in metrics]), starts_at=starts_at)


def write_file(path: Path, *lines: str) -> Path:
    """Write a usage file, packed if its name says so."""
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def import_usage(path: Path, subscription: str, *options: str) -> Import:
    """Run ``manage.py import_usage`` at ``IMPORTED`` and return what it said."""
    out, err = io.StringIO(), io.StringIO()
    whose = ("--subscription", subscription, "--type", "call", "--as-of", IMPORTED.isoformat())
    exit_code, failure = 0, ""
    try:
        call_command("import_usage", str(path), *whose, *options, stdout=out, stderr=err)
    except CommandError as error:
        exit_code, failure = error.returncode, str(error)
    # The progress bar is on the same stream.
    complaints = [line for line in err.getvalue().splitlines() if line.startswith("row ")]
    return Import(summary=out.getvalue().strip() or failure, complaints=complaints, exit_code=exit_code)


def units(code: str) -> Any:
    """Return what is rolled up of the metric, a ``Decimal``; None where there is nothing."""
    return MetricHour.objects.filter(metric__code=code).aggregate(sum=Sum("total"))["sum"]
