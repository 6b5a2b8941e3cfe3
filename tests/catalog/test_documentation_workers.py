"""The workers that fetch documentation: they die, are late, are woken or not, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from catalog.models import Documentation, Product
from catalog.operations.documentation import (
    LEASE,
    MAX_ATTEMPTS,
    fetch_documentation,
    request_documentation,
    upload_documentation,
)
from catalog.tasks import fetch_documentation as fetch_all
from tests.catalog.documented import fetched, of
from tests.catalog.openapi import document
from tests.factories import NOW, make_product
from tests.processes import environment, running
from tests.web import Page, Site

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
JSON = {"Content-Type": "application/json"}


def test_what_a_dead_worker_took_on_is_found_again() -> None:
    found = upload_documentation(make_product().id, document=document(), now=NOW)
    # What a worker leaves that was killed.
    Documentation.objects.update(attempts=1, claimed_until=NOW + LEASE)

    assert not fetch_documentation(found.id, now=NOW + LEASE - timedelta(seconds=1))
    assert fetch_documentation(found.id, now=NOW + LEASE)
    assert Documentation.objects.get().status == "FETCHED"


def test_a_document_that_kills_every_worker_is_given_up() -> None:
    product = make_product()
    found = upload_documentation(product.id, document=document(), now=NOW)
    Documentation.objects.update(attempts=MAX_ATTEMPTS, claimed_until=NOW)

    assert not fetch_documentation(found.id, now=NOW)
    assert (of(product).status, "did not live to tell why" in of(product).error) == ("ERROR", True)
    upload_documentation(product.id, document=document(), now=LATER)
    assert fetched(product).status == "FETCHED"


class Interrupting(dict[str, Page]):
    """Pages whose first visitor makes the operator ask for them again."""

    product: Product

    def get(self, path: str, default: Any = None) -> Any:
        """Return the page of ``path``."""
        if self.pop("/interrupt", None) is not None:
            request_documentation(self.product.id, now=LATER)
            connection.close()
        return super().get(path, default)


@pytest.mark.django_db(transaction=True)
def test_the_answer_to_an_old_request_is_not_taken_for_that_to_a_new_one(web: Site) -> None:
    pages = Interrupting({**web.pages, "/interrupt": Page()})
    pages.product = make_product(openapi_url=web.url("/openapi.json"))
    web.pages = pages
    asked = of(pages.product)

    assert not fetch_documentation(asked.id, now=NOW)
    found = of(pages.product)
    assert (found.status, found.requested_at, found.outline) == ("PENDING", LATER, None)
    assert fetched(pages.product).status == "FETCHED"
    assert len(web.requests) == 2


def test_documentation_is_worked_off_by_the_task_and_by_the_command(web: Site) -> None:
    first = make_product(openapi_url=web.url("/openapi.json"))
    second = make_product(openapi_url=web.url("/nothing"))

    assert fetch_all() == 2
    assert (of(first).status, of(second).status) == ("FETCHED", "ERROR")
    assert of(first).history.latest("history_id").history_actor == "task fetch_documentation"
    request_documentation(second.id, now=NOW)
    call_command("fetch_documentation")
    assert of(second).history.latest("history_id").history_actor == "command fetch_documentation"
    assert fetch_all() == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_by_the_request(tmp_path: Path, web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_ALLOW_HTTP", "true")
    monkeypatch.setenv("OUTBOUND_ALLOWED_NETWORKS", "127.0.0.1/32")
    log = tmp_path / "worker.log"

    with running("worker", log) as worker:
        product = make_product(openapi_url=web.url("/openapi.json"))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and of(product).status == "PENDING":
            assert worker.poll() is None, log.read_text()
            time.sleep(0.05)

    assert (of(product).status, of(product).title) == ("FETCHED", "Pets"), log.read_text()
    call_command("verify_books")


CREATE = """
from django.utils import timezone
from catalog.operations.products import ProductFields, create_product
fields = ProductFields(code="p", name="P", openapi_url="https://example.com/openapi.json")
create_product(fields, product_type="STANDARD_API", now=timezone.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_request_is_kept_and_nobody_waits_while_the_broker_is_away() -> None:
    away = {**environment(), "REDIS_URL": "redis://127.0.0.1:1/0"}
    begun = time.monotonic()

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", CREATE], cwd=settings.BASE_DIR, env=away, capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 30
    assert Documentation.objects.get().status == "PENDING"
