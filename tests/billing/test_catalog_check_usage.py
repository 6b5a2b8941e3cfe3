"""What usage tells of the catalog: types that no metric counts, and values that no charge takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.checks import event_types_are_counted, usage_is_charged
from catalog.flaws import Severity
from tests.billing.usage_wire import FEBRUARY, NOW, metered, use
from tests.factories import make_charge, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db


def test_event_types_that_no_metric_counts_are_found_those_with_the_most_events_first() -> None:
    subscription = metered()
    for minute in range(3):
        use(subscription, f"2026-02-20T10:0{minute}:00Z", "video")
    use(subscription, "2026-02-20T10:00:00Z", "audio")
    use(subscription, "2026-02-20T10:00:00Z", "image")

    found = list(event_types_are_counted(NOW))

    assert [(flaw.code, flaw.severity, flaw.about) for flaw in found] == [
        ("event_type_not_counted", Severity.WARNING, None)
    ] * 2
    assert [flaw.message.partition(" came")[0] for flaw in found] == [
        "3 event(s) of the type “video”", "1 event(s) of the type “audio”"
    ]  # fmt: skip
    make_metric(event_type="video")
    assert [flaw.message[:10] for flaw in event_types_are_counted(NOW)] == ["1 event(s)"]
    assert list(event_types_are_counted(NOW + timedelta(days=31))) == []


def test_usage_that_no_charge_of_its_plan_takes_is_found() -> None:
    metric = make_metric(name="Tokens", event_type="chat", dimensions=["model"])
    limited = [make_charge(metric, match={"model": ["a"]}), make_charge(metric, match={"model": ["b"]})]
    plan, whole = make_plan(charges=limited), make_plan(charges=[*limited, make_charge(metric)])
    subscriptions = [make_subscription(plan=each, now=FEBRUARY) for each in (plan, plan, whole)]
    for hour, subscription in enumerate(subscriptions, start=10):
        use(subscription, f"2026-02-20T{hour}:00:00Z", model="a")
        use(subscription, f"2026-02-20T{hour}:00:00Z", model="kimi")
    use(subscriptions[0], "2026-02-20T10:02:00Z")

    found = list(usage_is_charged(NOW))

    assert [(flaw.code, flaw.severity, flaw.about) for flaw in found] == [
        ("usage_priced_at_nothing", Severity.ERROR, plan)
    ] * 2
    assert [flaw.message.partition(" cost")[0] for flaw in found] == [
        "2 event(s) of Tokens with model = kimi", "1 event(s) of Tokens with no value"
    ]  # fmt: skip
    assert list(usage_is_charged(NOW + timedelta(days=31))) == []
