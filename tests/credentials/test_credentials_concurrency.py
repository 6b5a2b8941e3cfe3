"""Keys issued and rotated while somebody else changes the same: no key outlives its agent, no two secrets are new."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection

from config.kernel.errors import NotFound
from credentials.models import Credential
from credentials.queries.verification import verify_secret
from customers.operations.agents import delete_agent
from tests.credentials.keys import issue, rotate
from tests.customers.test_deletion_concurrency import meanwhile
from tests.factories import NOW, make_agent

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


def test_a_key_that_waits_for_the_deletion_of_its_agent_is_refused() -> None:
    agent = make_agent()
    customer = agent.team.customer

    refusal = meanwhile(lambda: delete_agent(agent.id, confirm=True, now=NOW), lambda: issue(customer, agent=agent.id))

    assert isinstance(refusal, NotFound)
    assert not Credential.objects.exists()


def test_a_deletion_that_waits_for_a_key_of_the_agent_revokes_it() -> None:
    agent = make_agent()
    customer = agent.team.customer

    refusal = meanwhile(lambda: issue(customer, agent=agent.id), lambda: delete_agent(agent.id, confirm=True, now=NOW))

    assert refusal is None
    assert Credential.objects.get().revoked_at == NOW


def test_of_rotations_at_once_the_last_two_secrets_work_and_no_other() -> None:
    key, first = issue()
    barrier = Barrier(THREADS)

    def rotated(_: int) -> str:
        barrier.wait()
        try:
            return rotate(key, grace=timedelta(hours=1))[1]["key"]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        secrets = [first, *pool.map(rotated, range(THREADS))]

    assert len(set(secrets)) == THREADS + 1
    assert sum(verify_secret(secret, now=NOW).is_valid for secret in secrets) == 2
    assert key.history.count() == THREADS + 1
    call_command("verify_books")
