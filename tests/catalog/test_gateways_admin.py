"""Gateways at the desk: connected vendor by vendor, tested, looked after; secrets are typed and never shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from catalog.gateways.registry import ADAPTERS
from catalog.models import Gateway, GatewayMapping
from catalog.operations.gateways import connection_of
from config.kernel.admin import change_url
from tests.factories import NOW, make_clerk, make_gateway, make_gateway_mapping
from tests.gateways.fakes.azure import CREDENTIALS, SETTINGS, FakeAzure
from tests.gateways.house import connect, limited_product, link, loosen, restored, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

#: What a browser sends along for the mappings shown below the form.
NO_ROWS = {"mappings-TOTAL_FORMS": "0", "mappings-INITIAL_FORMS": "0"}
TYPED = {
    "name": "EU",
    "base_url": "",
    "mark": "meterdesk",
    **{f"settings.{name}": value for name, value in SETTINGS.items()},
    **{f"credentials.{name}": value for name, value in CREDENTIALS.items()},
}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_gateway_{page}", args=arguments)


def add_url(vendor: str = "AZURE_APIM") -> str:
    return f"{url('add')}?vendor={vendor}"


def text_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()


def errors_of(answer: Any) -> Any:
    return answer.context["adminform"].form.errors


def test_every_page_opens(desk: Client, reader: Client) -> None:
    gateway = make_gateway_mapping(gateway=make_gateway(name="Azure EU"), external_ref="petstore").gateway

    for browser in (desk, reader):
        assert "Azure EU" in text_of(browser, url("changelist"))
        page = text_of(browser, url("change", gateway.pk))
        for words in ("Azure API Management", "petstore", "Client secret", gateway.fingerprint, "Requests per month"):
            assert words in page
        assert "s3cret-of-the-client" not in page
        assert browser.get(url("history", gateway.pk)).status_code == 200
    assert desk.get(add_url()).status_code == 200
    assert {reader.get(url("add")).status_code, reader.get(add_url()).status_code} == {403}


def test_the_vendor_is_chosen_first(desk: Client) -> None:
    page = text_of(desk, url("add"))

    for vendor, adapter in ADAPTERS.items():
        assert f'href="?vendor={vendor}"' in page
        assert f"Connect {adapter.label}" in page
    for browser_went in (url("add"), add_url("TYK")):
        assert "Whose gateway is it?" in text_of(desk, browser_went)


@pytest.mark.parametrize("vendor", sorted(ADAPTERS))
def test_the_form_asks_for_what_the_vendor_needs(desk: Client, vendor: str) -> None:
    adapter = ADAPTERS[vendor]

    form = desk.get(add_url(vendor)).context["adminform"].form

    for group, fields in (("settings", adapter.setting_fields), ("credentials", adapter.credential_fields)):
        for one in fields:
            shown = form.fields[f"{group}.{one.name}"]
            assert (shown.label, shown.required) == (one.label, one.required)
            assert [value for value, _ in getattr(shown, "choices", []) if value] == [value for value, _ in one.choices]
    assert form.fields["base_url"].required is adapter.needs_base_url
    refused = desk.post(add_url(vendor), {"mark": "meterdesk"})
    assert {"name", *(f"credentials.{one.name}" for one in adapter.credential_fields if one.required)} <= set(
        errors_of(refused)
    )
    assert not Gateway.objects.exists()


def test_what_is_typed_is_connected_and_the_log_names_no_value(desk: Client) -> None:
    answer = desk.post(add_url(), TYPED)

    gateway = Gateway.objects.get()
    assert answer["Location"] == url("changelist")
    assert (gateway.vendor, gateway.name, gateway.settings, gateway.created_at) == ("AZURE_APIM", "EU", SETTINGS, NOW)
    assert connection_of(gateway).credentials == CREDENTIALS
    assert [row.history_actor for row in gateway.history.all()] == ["olga"]
    log = LogEntry.objects.get()
    assert CREDENTIALS["client_secret"] not in f"{log.change_message}{log.object_repr}"


def test_a_refusal_stands_at_its_field_and_shows_no_secret_again(desk: Client) -> None:
    make_gateway(name="EU")

    taken = desk.post(add_url(), TYPED)
    wrong = desk.post(add_url(), {**TYPED, "name": "US", "base_url": "http://169.254.169.254/", "mark": "No"})

    assert errors_of(taken) == {"name": ["A gateway called 'EU' exists already"]}
    assert "mark" in errors_of(wrong)
    address = desk.post(add_url(), {**TYPED, "name": "US", "base_url": "http://169.254.169.254/"})
    assert list(errors_of(address)) == ["base_url"]
    for answer in (taken, wrong, address):
        assert CREDENTIALS["client_secret"] not in answer.content.decode()
        assert SETTINGS["tenant_id"] in answer.content.decode()
    assert Gateway.objects.count() == 1


def test_secrets_of_several_lines_are_not_shown_again_either(desk: Client) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
    long = next(
        (name, one.name) for name, adapter in ADAPTERS.items() for one in adapter.credential_fields if one.is_long
    )

    answer = desk.post(add_url(long[0]), {f"credentials.{long[1]}": key})

    assert errors_of(answer)
    assert "c2VjcmV0" not in answer.content.decode()


def test_credentials_left_empty_stay_and_all_are_entered_anew_to_change_any(desk: Client) -> None:
    gateway = make_gateway(credentials=CREDENTIALS)
    path = url("change", gateway.pk)
    empty = {**TYPED, **NO_ROWS, "credentials.client_id": "", "credentials.client_secret": ""}

    desk.post(path, {**empty, "name": "Renamed", "change_reason": "Tidy"})
    kept = Gateway.objects.get()
    assert (kept.name, kept.fingerprint) == ("Renamed", gateway.fingerprint)
    assert kept.history.latest("history_id").history_change_reason == "Tidy"

    some = desk.post(path, {**empty, "credentials.client_secret": "new-secret"})
    assert errors_of(some) == {"credentials.client_id": ["Client id is needed"]}
    assert "new-secret" not in some.content.decode()
    desk.post(path, {**empty, "credentials.client_id": "c", "credentials.client_secret": "new-secret"})
    assert connection_of(Gateway.objects.get()).credentials == {"client_id": "c", "client_secret": "new-secret"}


def test_a_test_of_the_connection_says_who_answers(desk: Client, azure: FakeAzure) -> None:
    gateway = connect(azure)
    path = url("test_connection", gateway.pk)

    assert "nothing is changed there" in text_of(desk, path)
    assert azure.exchanges == []
    answer = desk.post(path, {"confirmed": "yes"}, follow=True)

    page = answer.content.decode()
    assert "Answers as 2024-05-01" in page
    assert "2026-03-10 12:00 UTC: Answers as 2024-05-01" in page
    assert LogEntry.objects.get().change_message == "Test connection"
    assert gateway.history.latest("history_id").history_actor == "olga"


def test_a_test_that_fails_says_why_and_the_page_keeps_saying_so(desk: Client, azure: FakeAzure) -> None:
    gateway = connect(azure, credentials={**CREDENTIALS, "client_secret": "wrong-secret"})

    answer = desk.post(url("test_connection", gateway.pk), {"confirmed": "yes"})

    [error] = answer.context["form"].non_field_errors()
    assert "AADSTS7000215" in error
    page = text_of(desk, url("change", gateway.pk))
    assert "AADSTS7000215" in page.partition("<form")[0] + page
    assert "wrong-secret" not in page
    assert "Needs attention" in text_of(desk, url("changelist"))


@pytest.mark.parametrize(("page", "job"), [("check_all", "check"), ("restore_all", "restore")])
def test_everything_at_a_gateway_is_asked_for_at_once(desk: Client, azure: FakeAzure, page: str, job: str) -> None:
    gateway = connect(azure)
    agreed, new = restored(gateway), link(gateway, ref="weather")
    loosen(azure)

    shown = text_of(desk, url(page, gateway.pk))
    answer = desk.post(url(page, gateway.pk), {"confirmed": "yes", "reason": "Audit"}, follow=True)

    assert f"2 mapping(s) are being {'checked' if job == 'check' else 'restored'}." in answer.content.decode()
    assert {mapping.job for mapping in GatewayMapping.objects.all()} == {job}
    if job == "restore":
        assert f"{agreed.product}: petstore at {gateway}" in shown
        assert f"{new.product}: weather at {gateway}" in shown
        assert agreed.history.latest("history_id").history_change_reason == "Audit"


def test_the_page_of_a_gateway_shows_how_what_is_mapped_stands(desk: Client, azure: FakeAzure) -> None:
    gateway = connect(azure)
    restored(gateway)
    stale = link(gateway, ref="weather", product=limited_product(rate_per_minute=3))
    work(gateway)

    page = text_of(desk, url("change", gateway.pk))

    assert change_url(stale) in page
    assert "SYNCED" in page
    assert "STALE" in page


def test_a_gateway_that_does_not_answer_says_so(desk: Client) -> None:
    gateway = make_gateway()
    assert "Connected" in text_of(desk, url("changelist"))
    assert "does not answer" not in text_of(desk, url("change", gateway.pk))

    Gateway.objects.update(failures=2)

    assert "Does not answer" in text_of(desk, url("changelist"))
    assert "does not answer" in text_of(desk, url("change", gateway.pk))


def test_a_gateway_in_use_is_not_deleted(desk: Client) -> None:
    mapping = make_gateway_mapping()
    path = url("delete", mapping.gateway_id)

    page = desk.get(path)
    desk.post(path, {"confirmed": "yes", "reason": "Tidy"})
    [(_, report)] = page.context["page"].reports
    assert Gateway.objects.exists()
    assert len(desk.get(report.findings[0].link).context["cl"].result_list) == 1

    mapping.delete()
    desk.post(path, {"confirmed": "yes", "reason": "Tidy"})
    assert not Gateway.objects.exists()


def test_who_may_look_changes_nothing(reader: Client, azure: FakeAzure) -> None:
    gateway = connect(azure)
    link(gateway)

    for page in ("test_connection", "check_all", "restore_all", "delete"):
        answer = reader.post(url(page, gateway.pk), {"confirmed": "yes", "reason": "X"})
        assert answer.status_code == 403
    assert reader.post(url("change", gateway.pk), {**TYPED, **NO_ROWS}).status_code == 403
    assert azure.exchanges == []
    assert Gateway.objects.get().name == gateway.name


def test_who_may_change_connections_does_not_thereby_restore(azure: FakeAzure) -> None:
    gateway = connect(azure)
    browser = Client()
    browser.force_login(make_clerk("view_gateway", "change_gateway"))

    assert browser.post(url("restore_all", gateway.pk), {"confirmed": "yes", "reason": "X"}).status_code == 403
    assert browser.post(url("test_connection", gateway.pk), {"confirmed": "yes"}).status_code == 302


def test_the_list_is_filtered_and_searched_and_counts_what_is_mapped(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    first = make_gateway(name="Azure EU", base_url="https://eu.example.com")
    make_gateway_mapping(gateway=first)
    make_gateway_mapping(gateway=first)
    second = make_gateway(name="Azure US")

    def found(**query: str) -> list[Any]:
        return list(desk.get(url("changelist"), query).context["cl"].result_list)

    assert {one.pk: one.mapped for one in found()} == {first.pk: 2, second.pk: 0}
    assert found(q="us") == [second]
    assert found(q="eu.example") == [first]
    assert found(vendor__exact="KONG") == []
    with django_assert_max_num_queries(8):
        desk.get(url("changelist"))
