"""``manage.py sync_gateways``: checks and restores from the shell, with an exit code for cron."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import GatewayMapping
from tests.factories import NOW
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.house import connect, fresh, link, loosen, restored

pytestmark = pytest.mark.django_db


def sync(**options: Any) -> tuple[str, str]:
    """Return what the command prints, and what it fails with."""
    out = io.StringIO()
    try:
        call_command("sync_gateways", as_of=NOW, stdout=out, **options)
    except CommandError as failure:
        return out.getvalue(), str(failure)
    return out.getvalue(), ""


def test_everything_is_checked_and_what_differs_is_a_failure(azure: FakeAzure) -> None:
    gateway = connect(azure, name="Azure EU")
    agreed, new = restored(gateway), link(gateway, ref="weather")

    printed, failure = sync()

    assert failure == "1 mapping(s) are not SYNCED"
    assert f"{agreed.id} {agreed.product.code} → Azure EU petstore: SYNCED\n" in printed
    assert f"{new.id} {new.product.code} → Azure EU weather: STALE 3 difference(s)\n" in printed
    assert printed.endswith("1 of 2 mapping(s) are SYNCED\n")


def test_a_restore_ends_well_where_all_is_synced(azure: FakeAzure) -> None:
    gateway = connect(azure)
    restored(gateway)
    link(gateway, ref="weather")
    loosen(azure)

    assert sync(restore=True) == (sync()[0], "")

    assert {mapping.status for mapping in GatewayMapping.objects.all()} == {"SYNCED"}
    assert GatewayMapping.history.latest("history_id").history_actor == "command sync_gateways"


def test_why_a_gateway_cannot_be_used_is_printed() -> None:
    link(connect())

    printed, failure = sync()

    assert "ERROR 127.0.0.1 cannot be reached" in printed
    assert failure == "1 mapping(s) are not SYNCED"


def test_only_what_is_named_is_done(azure: FakeAzure) -> None:
    here, there = connect(azure), connect()
    first, second = link(here), link(here, ref="weather")
    far = link(there)

    assert sync(mapping=[first.id], restore=True)[1] == ""
    assert (fresh(first).status, fresh(second).sync_status, fresh(far).sync_status) == ("SYNCED", "STALE", "PENDING")
    assert sync(gateway=[here.id], restore=True)[1] == ""
    assert (fresh(second).status, fresh(far).sync_status) == ("SYNCED", "PENDING")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"mapping": ["gmap_1"]}, "Gateway mapping gmap_1 not found"), ({"gateway": ["prod_1"]}, "not found")],
)
def test_what_does_not_exist_is_refused(options: dict[str, list[str]], said: str) -> None:
    printed, failure = sync(**options)

    assert printed == ""
    assert said in failure


def test_without_mappings_there_is_nothing_to_fail() -> None:
    assert sync() == ("0 of 0 mapping(s) are SYNCED\n", "")
