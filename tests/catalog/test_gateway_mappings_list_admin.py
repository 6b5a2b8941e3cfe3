"""The list of mappings at the desk, and where else they are shown: filtered, asked for at once, followed, unlinked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.admin.drift import rows_of, steps_of
from catalog.models import GatewayMapping
from config.kernel.admin import change_url
from tests.factories import NOW, make_clerk, make_gateway, make_gateway_mapping, make_product
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.house import connect, fresh, link, restored, stale, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

LATER = NOW + timedelta(hours=1)


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_gatewaymapping_{page}", args=arguments)


def text_of(browser: Client, path: str) -> str:
    """Return what a page says, with the blanks between its words as one reads them."""
    return " ".join(browser.get(path).content.decode().split())


def test_a_restore_without_a_known_difference_says_so(desk: Client, azure: FakeAzure) -> None:
    gateway = connect(azure)
    agreed, new = restored(gateway), link(gateway, ref="weather")

    assert "No difference was found" in text_of(desk, url("restore_gateway", agreed.pk))
    assert "has not been read yet" in text_of(desk, url("restore_gateway", new.pk))


@pytest.mark.parametrize(("action", "job"), [("check_gateway", "check"), ("restore_gateway", "restore")])
def test_many_are_asked_for_at_once_and_the_list_follows_them(
    desk: Client, azure: FakeAzure, action: str, job: str
) -> None:
    gateway = connect(azure)
    chosen = [link(gateway, ref="petstore"), link(gateway, ref="weather")]
    other = link(gateway, ref="maps")
    work(gateway)
    asked = {"action": action, "_selected_action": [one.pk for one in chosen]}
    assert "follows the workers" not in text_of(desk, url("changelist"))

    page = " ".join(desk.post(url("changelist"), asked).content.decode().split())
    answer = desk.post(url("changelist"), {**asked, "confirmed": "yes", "reason": "Audit"}, follow=True)

    assert "2 gateway mappings" in page
    assert (f"petstore at {gateway}" in page) is (job == "restore")
    assert {fresh(one).job for one in chosen} == {job}
    assert fresh(other).job == ""
    shown = " ".join(answer.content.decode().split())
    assert "2 gateway mappings." in shown
    assert "follows the workers" in shown
    work(gateway)
    assert "follows the workers" not in text_of(desk, url("changelist"))


def test_the_page_of_a_product_shows_how_it_stands_where(desk: Client, reader: Client, azure: FakeAzure) -> None:
    mapping = stale(azure)
    path = change_url(mapping.product)

    page = text_of(desk, path)
    assert change_url(mapping) in page
    assert "at Azure EU, 1 difference" in page
    link_to_form = f"{url('add')}?product={mapping.product_id}"
    assert link_to_form in page
    assert link_to_form not in text_of(reader, path)
    assert "No gateway enforces the limits" in text_of(desk, change_url(make_product()))


def test_the_list_is_filtered_by_what_is_shown(desk: Client, azure: FakeAzure) -> None:
    gateway = connect(azure)
    agreed, different = restored(gateway), link(gateway, ref="weather")
    work(gateway)
    waiting = make_gateway_mapping(external_ref="maps")

    def found(**query: str) -> list[GatewayMapping]:
        return list(desk.get(url("changelist"), query).context["cl"].result_list)

    assert set(found()) == {agreed, different, waiting}
    assert [found(status=one) for one in ("SYNCED", "STALE", "PENDING", "ERROR")] == [
        [agreed], [different], [waiting], []
    ]  # fmt: skip
    assert set(found(gateway__id__exact=gateway.pk)) == {agreed, different}
    assert found(product__id__exact=waiting.product_id) == [waiting]
    assert found(gateway__vendor__exact="KONG") == []
    assert found(q="maps") == [waiting]


def test_a_list_asks_the_database_as_often_for_many_as_for_one(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    gateway = make_gateway()
    for _ in range(5):
        make_gateway_mapping(gateway=gateway)

    with django_assert_max_num_queries(9):
        desk.get(url("changelist"))


def test_unlinking_asks_and_then_forgets(desk: Client) -> None:
    mapping = make_gateway_mapping()

    assert desk.get(url("delete", mapping.pk)).status_code == 200
    assert GatewayMapping.objects.exists()
    desk.post(url("delete", mapping.pk), {"confirmed": "yes", "reason": "Gone"})
    assert not GatewayMapping.objects.exists()


def test_who_may_look_restores_nothing(reader: Client, azure: FakeAzure) -> None:
    mapping = restored(connect(azure))

    for page in ("check_gateway", "restore_gateway", "delete"):
        assert reader.post(url(page, mapping.pk), {"confirmed": "yes", "reason": "X"}).status_code == 403
    assert fresh(mapping).status == "SYNCED"
    browser = Client()
    browser.force_login(make_clerk("view_gatewaymapping", "change_gatewaymapping"))
    assert browser.post(url("check_gateway", mapping.pk), {"confirmed": "yes"}).status_code == 302
    assert fresh(mapping).status == "PENDING"


def difference(field: str, record: Any, gateway: Any, *, key: str = "gold") -> dict[str, Any]:
    about = {"kind": "plan", "key": key, "label": f"plan {key}"}
    return {**about, "field": field, "record": record, "gateway": gateway}


def test_differences_are_put_in_words() -> None:
    drift = [
        difference("limits.minute", 100, 1000),
        difference("tags", ["a", "b"], []),
        difference("", {"name": "Free", "on": True, "limits": {"day": 5}}, None, key="free"),
        difference("", None, {"name": "Old"}, key="old"),
    ]

    rows = [(row.label, row.field, row.record, row.gateway) for row in rows_of(drift)]

    assert rows == [
        ("plan gold", "limits.minute", "100", "1000"),
        ("plan gold", "tags", "a, b", "–"),
        ("plan free", "name", "Free", "–"),
        ("plan free", "on", "yes", "–"),
        ("plan free", "limits.day", "5", "–"),
        ("plan old", "name", "–", "Old"),
    ]
    assert steps_of(drift) == [
        "Change plan gold: limits.minute 1000 → 100, tags – → a, b",
        "Make plan free",
        "Remove plan old",
    ]
