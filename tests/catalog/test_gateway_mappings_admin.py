"""Mappings at the desk: linked step by step, compared side by side, restored after a look at what will be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import GatewayMapping
from catalog.operations.gateway_mappings import request_restore
from config.kernel.admin import change_url
from tests.factories import NOW, make_gateway, make_gateway_mapping, make_product
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import connect, fresh, limited_product, link, restored, stale, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

LATER = NOW + timedelta(hours=1)


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_gatewaymapping_{page}", args=arguments)


def text_of(browser: Client, path: str) -> str:
    """Return what a page says, with the blanks between its words as one reads them."""
    return " ".join(browser.get(path).content.decode().split())


def test_every_page_opens(desk: Client, reader: Client) -> None:
    mapping = make_gateway_mapping(external_ref="petstore")

    for browser in (desk, reader):
        assert "petstore" in text_of(browser, url("changelist"))
        page = text_of(browser, url("change", mapping.pk))
        assert change_url(mapping.product) in page
        assert change_url(mapping.gateway) in page
        assert browser.get(url("history", mapping.pk)).status_code == 200
    assert desk.get(url("add")).status_code == 200
    assert reader.get(url("add")).status_code == 403


def test_product_and_gateway_are_chosen_first_and_the_rest_is_asked_in_the_vendors_words(desk: Client) -> None:
    gateway, product = make_gateway(name="Azure EU"), limited_product(quota_per_month=1000)

    first = text_of(desk, f"{url('add')}?product={product.pk}")
    assert "Which product, at which gateway?" in first
    assert f'value="{product.pk}" selected' in first
    assert "This field is required" not in first
    path = f"{url('add')}?product={product.pk}&gateway={gateway.pk}"
    second = text_of(desk, path)
    assert f"{product} at Azure EU (Azure API Management)" in second
    assert "API id" in second
    assert "requests per month (1,000): approximate." in second

    answer = desk.post(path, {"external_ref": "petstore", "accepts_approximations": "on"})
    mapping = GatewayMapping.objects.get()
    assert answer["Location"] == url("changelist")
    assert (mapping.product, mapping.gateway, mapping.external_ref) == (product, gateway, "petstore")
    assert mapping.accepts_approximations
    assert mapping.history.get().history_actor == "olga"


@pytest.mark.parametrize("query", ["product=nonsense", "gateway=x&product=y", "product=&gateway="])
def test_an_address_that_names_nothing_asks_again(desk: Client, query: str) -> None:
    assert "Which product, at which gateway?" in text_of(desk, f"{url('add')}?{query}")


def test_a_product_that_stands_at_the_gateway_is_not_mapped_there_again(desk: Client) -> None:
    mapping = make_gateway_mapping()

    page = text_of(desk, f"{url('add')}?product={mapping.product_id}&gateway={mapping.gateway_id}")

    assert "Which product, at which gateway?" in page
    assert "already exists" in page


def test_a_reference_that_names_nothing_is_refused_at_its_field(desk: Client) -> None:
    path = f"{url('add')}?product={make_product().pk}&gateway={make_gateway().pk}"

    answer = desk.post(path, {"external_ref": "no such api"})

    assert list(answer.context["adminform"].form.errors) == ["external_ref"]
    assert not GatewayMapping.objects.exists()


def test_drift_is_shown_side_by_side(desk: Client, azure: FakeAzure) -> None:
    mapping = stale(azure)

    answer = desk.get(url("change", mapping.pk))
    page = " ".join(answer.content.decode().split())

    [row] = answer.context["rows"]
    assert row.field == "rate-limit"
    assert ('calls="100"' in row.record, 'calls="1000"' in row.gateway) == (True, True)
    assert "calls=&quot;1000&quot;" in page
    assert "The gateway was changed since both agreed." in page
    assert "STALE" in page


def test_a_restore_tells_first_what_it_will_do_and_asks_why(desk: Client, azure: FakeAzure) -> None:
    mapping = stale(azure)
    path = url("restore_gateway", mapping.pk)

    page = text_of(desk, path)
    assert "Change policy of" in page
    assert f"{mapping.product}: petstore at Azure EU" in page
    assert fresh(mapping).status == "STALE"
    assert list(desk.post(path, {"confirmed": "yes"}).context["form"].errors) == ["reason"]
    desk.post(path, {"confirmed": "yes", "reason": "Somebody raised a limit"})

    found = fresh(mapping)
    row = found.history.latest("history_id")
    assert (found.status, found.job, found.restore_requested_at) == ("PENDING", "restore", NOW)
    assert (row.history_actor, row.history_change_reason) == ("olga", "Somebody raised a limit")
    work(mapping.gateway)
    assert "The gateway has what our record says" in text_of(desk, url("change", mapping.pk))


def test_a_check_changes_nothing_and_needs_no_reason(desk: Client, azure: FakeAzure) -> None:
    mapping = restored(connect(azure))

    desk.post(url("check_gateway", mapping.pk), {"confirmed": "yes"})

    assert (fresh(mapping).status, fresh(mapping).job) == ("PENDING", "check")


def test_the_page_follows_the_workers_while_a_job_waits(desk: Client, azure: FakeAzure) -> None:
    mapping = link(connect(azure))
    path = url("change", mapping.pk)

    waiting = text_of(desk, path)
    assert "follows the workers" in waiting
    assert "is being compared with our record, asked for at 2026-03-10 12:00:00 UTC." in waiting
    # What was typed and refused must not be lost to a reload.
    refused = desk.post(path, {"external_ref": "no such api"})
    assert "follows the workers" not in refused.content.decode()
    work(mapping.gateway)
    assert "follows the workers" not in text_of(desk, path)


def test_a_failure_tells_how_far_it_came_and_when_it_goes_on(desk: Client, azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    request_restore(mapping.id, now=NOW)
    azure.faults.append(Fault(r"PUT .*/policies/policy", 503, times=3))

    work(gateway)

    page = text_of(desk, url("change", mapping.pk))
    assert "The gateway answers 503" in page
    assert "1 of 3 steps of the restore are done; it failed at: create policy of" in page
    assert "It is tried again at 2026-03-10 12:00:10 UTC." in page
    assert "ERROR" in text_of(desk, url("changelist"))


def test_why_a_gateway_needs_attention_is_told_at_every_mapping(desk: Client) -> None:
    mapping = make_gateway_mapping()
    type(mapping.gateway).objects.update(attention="The client secret has expired")

    assert "needs attention: The client secret has expired" in text_of(desk, url("change", mapping.pk))


def test_what_changes_is_looked_at_and_both_sides_stay(desk: Client) -> None:
    mapping = make_gateway_mapping(external_ref="petstore")

    moved = {"product": make_product().pk, "gateway": make_gateway().pk}
    desk.post(url("change", mapping.pk), {"external_ref": "weather", "change_reason": "Moved", **moved})

    found = fresh(mapping)
    assert (found.external_ref, found.product, found.gateway) == ("weather", mapping.product, mapping.gateway)
    assert found.history.latest("history_id").history_change_reason == "Moved"


def test_the_history_tells_drift_in_words(desk: Client, azure: FakeAzure) -> None:
    mapping = stale(azure)

    page = text_of(desk, url("history", mapping.pk))

    assert "rate-limit: ours &lt;rate-limit calls=&quot;100&quot;" in page
    assert "&quot;kind&quot;" not in page
