"""Secrets on their way to gateways: a canary is looked for in every table, log, message and task, and found nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.db import connection

from config.kernel.secrets import issued_secrets
from credentials.models import GatewayKey
from credentials.operations.gateway_key_requests import reveal_gateway_key
from tests.factories import NOW
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.server import Fault
from tests.gateways.keys import VENUES, Venue, aws_venue, key_of, rotate, statuses_of, subscribe

HOUR = timedelta(hours=1)


@pytest.fixture
def published() -> Iterator[list[str]]:
    """Collect what is sent to the broker."""
    sent: list[str] = []

    def keep(body: Any = None, headers: Any = None, **_: Any) -> None:
        sent.append(json.dumps([body, headers], default=str))

    before_task_publish.connect(keep, weak=False)
    yield sent
    before_task_publish.disconnect(keep)


def dumped() -> str:
    """Return every row of every table as text; bytes in hexadecimal digits and as the text they are."""
    rows: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += (row for (row,) in cursor.fetchall())
    return "\n".join(rows)


def hidden(text: str, *secrets: str) -> bool:
    """Tell whether none of the secrets is in the text, in clear or in hexadecimal digits."""
    return not any(secret in text or secret.encode().hex() in text for secret in secrets)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", sorted(VENUES))
def test_no_trace_of_a_secret_is_left(name: str, published: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with VENUES[name]() as venue:
        credential, first = subscribe(venue.mapping)
        assert hidden(dumped(), first)
        venue.fake.faults.append(Fault("(PUT|POST) ", status=400, body=json.dumps({"message": first}).encode()))
        venue.deliver()
        assert statuses_of(credential) == [("active", "ERROR")]
        venue.deliver(now=NOW + HOUR)
        second = rotate(credential, grace=HOUR, now=NOW + HOUR)
        venue.deliver(now=NOW + HOUR)
        assert venue.opens() == {first, second}

    assert GatewayKey.objects.filter(sealed__isnull=False).count() == 0
    assert "deliver_keys_of_gateway" in "".join(published)
    for text in (dumped(), caplog.text, "".join(published)):
        assert hidden(text, first, second)


@pytest.mark.django_db
def test_what_the_gateway_made_is_sealed_until_it_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with aws_venue() as venue:
        assert isinstance(venue.fake, FakeAws)
        venue.fake.strict_values = True
        credential, ours = subscribe(venue.mapping)
        venue.deliver()
        (made,) = venue.opens()
        assert made != ours
        assert hidden(dumped() + caplog.text, made, ours)

        with issued_secrets() as issued:
            reveal_gateway_key(key_of(credential).id, now=NOW)
        assert issued[0].shown_once == {"key": made}
        assert hidden(dumped() + caplog.text + repr(issued), made, ours)
        # Looked at again, it is not told again.
        assert not is_shown_again(venue, credential)


def is_shown_again(venue: Venue, credential: Any) -> bool:
    """Have the key looked at once more, and tell whether something waits to be shown then."""
    GatewayKey.objects.update(is_due=True)
    venue.deliver()
    key = key_of(credential)
    assert key.status == "PLACED"
    return key.has_something_to_show
