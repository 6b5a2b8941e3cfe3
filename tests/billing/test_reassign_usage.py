"""``manage.py reassign_usage``: the way for very much usage."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import UsageReassignment
from billing.operations.billing_runs import bill_due
from customers.models import UNCLASSIFIED_ID
from tests.billing.bills import APRIL, MARCH
from tests.billing.unclassified import LOST, by_tokens, events_of, lose
from tests.factories import make_customer, make_subscriber

pytestmark = pytest.mark.django_db


def printed(**options: object) -> str:
    """Run the command and return what it wrote."""
    out = StringIO()
    call_command("reassign_usage", **options, stdout=out, stderr=out)
    return out.getvalue()


def test_it_moves_what_was_named_and_tells_what_stays() -> None:
    subscription = by_tokens()
    lose(MARCH, APRIL)
    lose(APRIL, prefix="bad", tokens="many")
    bill_due(now=APRIL)

    said = printed(customer=subscription.customer_id, named=LOST, reason="They called")

    assert said.splitlines() == [
        "1 moved, 2 kept",
        f"1 cannot be counted by a charged metric: bad 0 {APRIL}",
    ]
    moved = UsageReassignment.objects.get()
    assert (moved.moved, moved.actor, moved.reason) == (1, "command reassign_usage", "They called")
    assert printed(customer=subscription.customer_id, named=LOST).splitlines()[0] == "0 moved, 2 kept"


def test_it_moves_what_a_subscriber_used() -> None:
    customer, bob = make_customer(), make_subscriber()
    lose(MARCH, whose={"subscriber": bob.id})
    lose(MARCH, prefix="other")

    assert printed(customer=customer.id, subscriber=bob.id) == "1 moved, 0 kept\n"

    assert (events_of(customer), events_of(UNCLASSIFIED_ID)) == (1, 1)


def test_it_refuses_what_cannot_be_meant() -> None:
    lose(MARCH)

    with pytest.raises(CommandError, match="Say what the events named"):
        printed(customer=make_customer().id)
    with pytest.raises(CommandError, match="not found"):
        printed(customer="acme", named=LOST)

    assert events_of(UNCLASSIFIED_ID) == 1
