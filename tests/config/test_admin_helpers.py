"""The admin's base: forms lead to operations, refusals come back as errors, actions ask first, history tells it all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.contrib import admin as stock
from django.contrib.auth.models import Permission, User
from django.db import models
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path, reverse
from django.utils import timezone

from config.kernel import guards
from config.kernel.admin import (
    ActionForm,
    ModelAdmin,
    ReadOnlyModelAdmin,
    action,
    link_to,
    list_action,
    money_column,
    site,
    status_badge,
)
from config.kernel.admin.checks import check_admin_actions, errors_of
from config.kernel.admin.columns import NOTHING
from config.kernel.guards import Finding, Verdict
from config.kernel.secrets import IssuedSecret, hand_over
from customers.errors import CustomerDeletionBlocked, SystemCustomer
from customers.models import Customer
from customers.operations.customers import CustomerFields, create_customer, update_customer
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_customer
from tests.factories import make_customer, make_operator, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

SECRET = IssuedSecret(
    owner="cust_1",
    credential="cred_1",
    kind="api_key",
    name="Default key",
    prefix="md",
    last_four="cret",
    shown_once={"key": "md_a-very-plain-secret"},
)


class SuspensionForm(ActionForm):
    """Asks for the end of a suspension."""

    until = forms.DateTimeField(required=False)


class DeskCustomerAdmin(ModelAdmin):
    """A customer's pages with every kind of hook and action."""

    list_display = ("name", status_badge("tier", {"free": "info"}))
    fields = ("name", "email", "created_at")

    def create(self, request: HttpRequest, form: Any) -> Customer:
        """Create a customer; one of a certain name gets a secret."""
        if form.cleaned_data["name"] == "Secretive":
            hand_over(SECRET)
        return create_customer(CustomerFields(**form.cleaned_data), now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Customer:
        """Change a customer, and undo it all where the e-mail is taken."""
        update_customer(obj_id, name=form.cleaned_data["name"], now=timezone.now())
        return update_customer(obj_id, email=form.cleaned_data["email"], now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete a customer."""
        delete_customer(obj_id, confirm=cleaned["confirm"], now=timezone.now())

    @action("Suspend", permissions=["change"], form=SuspensionForm, danger=True, bulk=True)
    def suspend(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
        """Switch the customer's access off."""
        customer = suspend_customer(customer_id, reason=cleaned["reason"], until=cleaned["until"], now=timezone.now())
        return f"{customer} is suspended."

    @action("Show a secret", permissions=["change"], reason=None, when=lambda customer: customer.tier == "free")
    def show_secret(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> None:
        """Make a secret."""
        hand_over(SECRET)

    @list_action("Count", permissions=["view"], reason="optional")
    def count_all(self, request: HttpRequest, cleaned: dict[str, Any]) -> str:
        """Count the customers."""
        return f"There are {Customer.objects.real().count()}."

    @action("Audit", permissions=["audit"])
    def audit(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> None:
        """Do nothing, for those whom the admin's own rule admits."""

    @action("Go half the way", permissions=["change"], reason=None)
    def go_half_the_way(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> None:
        """Change something, make a secret, then meet a refusal."""
        update_customer(customer_id, name="Half", now=timezone.now())
        hand_over(SECRET)
        raise SystemCustomer

    @action("Break a rule", permissions=["change"], reason=None)
    def break_rule(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> None:
        """Write what a constraint forbids."""
        now = timezone.now()
        Customer.objects.filter(pk=customer_id).update(suspended_at=now, suspended_until=now)

    def has_audit_permission(self, request: HttpRequest) -> bool:
        """Admit nobody."""
        return False


desk = type(site)()
desk.register(Customer, DeskCustomerAdmin)
urlpatterns = [path("admin/", include([path("", desk.urls)]))]


@pytest.fixture(autouse=True)
def _desk_without_navigation(settings: Any) -> None:
    """Leave out the product's navigation and dashboard, whose pages the private site of these tests has not got."""
    settings.UNFOLD = {**settings.UNFOLD, "SIDEBAR": {}, "DASHBOARD_CALLBACK": None}


@pytest.fixture
def operator() -> User:
    return make_operator(username="olga")


@pytest.fixture
def browser(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def fussy_guard() -> Iterator[None]:
    """Warn about customers called Wary and block those called Blocked."""

    def guard(customer: Customer) -> Finding | None:
        verdicts = {"Wary": Verdict.WARN, "Blocked": Verdict.BLOCK}
        if customer.name not in verdicts:
            return None
        return Finding(code="fussy", verdict=verdicts[customer.name], message="Think twice", count=3, link="/why")

    guards.register_guard(Customer, guard)
    yield
    guards._guards[Customer].remove(guard)


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_customer_{page}", args=arguments)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_add_page_creates_through_the_operation_and_goes_on_with_its_result(browser: Client) -> None:
    response = browser.post(url("add"), {"name": "New", "email": "new@example.com", "_continue": "1"}, follow=True)

    customer = Customer.objects.get(name="New")
    assert response.redirect_chain[-1][0] == url("change", stock.utils.quote(customer.pk))
    assert "was added successfully" in messages_of(response)[0]
    assert [row.history_actor for row in customer.history.all()] == ["olga"]


def test_a_refusal_undoes_the_whole_change_and_keeps_what_was_typed(browser: Client) -> None:
    taken, customer = make_customer(email="taken@example.com"), make_customer(name="Before")

    response = browser.post(url("change", customer.pk), {"name": "After", "email": taken.email})

    form = response.context["adminform"].form
    assert response.status_code == 200
    assert form.errors == {"email": ["A customer with email 'taken@example.com' already exists"]}
    assert b'value="After"' in response.content
    customer.refresh_from_db()
    assert customer.name == "Before"


def test_a_constraint_that_no_operation_speaks_for_is_told_all_the_same(browser: Client) -> None:
    customer = make_customer()

    response = browser.post(url("break_rule", customer.pk), {"confirmed": "yes"})

    assert response.context["form"].non_field_errors() == [
        "This would break a rule of the database: customer suspension ends after it begins"
    ]


def test_a_change_is_written_with_who_and_why(browser: Client) -> None:
    customer = make_customer()

    browser.post(url("change", customer.pk), {"name": "Renamed", "email": customer.email, "change_reason": "Merger"})

    row = customer.history.latest("history_id")
    assert (row.name, row.history_actor, row.history_change_reason) == ("Renamed", "olga", "Merger")


def test_the_history_page_tells_who_when_what_and_why(browser: Client) -> None:
    customer = make_customer(name="Before")
    browser.post(url("change", customer.pk), {"name": "After", "email": customer.email, "change_reason": "Merger"})

    entries = browser.get(url("history", customer.pk)).context["entries"]

    changed, created = entries
    assert [(one.label, one.old, one.new) for one in changed.changes] == [("Name", "Before", "After")]
    assert (changed.kind, changed.row.history_actor, changed.row.history_change_reason) == ("Changed", "olga", "Merger")
    assert created.kind == "Created"
    assert ("Name", NOTHING, "Before") in [(one.label, one.old, one.new) for one in created.changes]


def test_an_action_asks_before_it_acts(browser: Client) -> None:
    customer = make_customer()

    response = browser.get(url("suspend", customer.pk))

    assert response.templates[0].name == "kernel/confirmation.html"
    assert list(response.context["form"].fields) == ["until", "reason"]
    customer.refresh_from_db()
    assert customer.suspended_at is None


def test_an_action_without_its_reason_does_nothing(browser: Client) -> None:
    customer = make_customer()

    response = browser.post(url("suspend", customer.pk), {"confirmed": "yes"})

    assert response.context["form"].errors == {"reason": ["This field is required."]}
    customer.refresh_from_db()
    assert customer.suspended_at is None


def test_a_confirmed_action_runs_the_operation_and_keeps_the_reason(browser: Client) -> None:
    customer = make_customer(name="Acme")

    response = browser.post(url("suspend", customer.pk), {"confirmed": "yes", "reason": "Unpaid"}, follow=True)

    assert messages_of(response) == ["Acme is suspended."]
    row = customer.history.latest("history_id")
    assert (row.suspended_at is not None, row.history_actor, row.history_change_reason) == (True, "olga", "Unpaid")


def test_a_refused_action_shows_the_sentence_beside_its_input(browser: Client) -> None:
    customer = make_customer()
    past = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"

    response = browser.post(url("suspend", customer.pk), {"confirmed": "yes", "reason": "Unpaid", "until": past})

    form = response.context["form"]
    assert list(form.errors) == ["until"]
    assert form["reason"].value() == "Unpaid"


def test_a_refused_action_leaves_nothing_behind(browser: Client) -> None:
    customer = make_customer(name="Whole")

    response = browser.post(url("go_half_the_way", customer.pk), {"confirmed": "yes"})

    assert len(response.context["form"].non_field_errors()) == 1
    assert SECRET.shown_once["key"].encode() not in response.content
    customer.refresh_from_db()
    assert customer.name == "Whole"


def test_an_action_on_something_unknown_says_so(browser: Client) -> None:
    response = browser.get(url("suspend", "cust_01h455vb4pex5vsknk084sn02q"), follow=True)

    assert "doesn’t exist" in messages_of(response)[0]


def test_a_bulk_action_asks_and_then_does_what_it_can(browser: Client) -> None:
    first, second = make_customer(name="First"), make_customer(name="Second")
    chosen = {"action": "suspend", "_selected_action": [first.pk, second.pk]}

    page = browser.post(url("changelist"), {**chosen, "index": "0"})
    assert not Customer.objects.suspended(timezone.now()).exists()
    delete_customer(second.pk, confirm=True, now=timezone.now())
    answer = browser.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Unpaid"}, follow=True)

    assert {one.name for one in page.context["named"]} == {"First", "Second"}
    assert messages_of(answer) == ["First is suspended.", f"Second: Customer {second.pk} not found"]
    assert [one.name for one in Customer.objects.suspended(timezone.now())] == ["First"]


def test_a_selection_that_is_no_id_is_a_bad_request(browser: Client) -> None:
    response = browser.post(url("changelist"), {"action": "suspend", "_selected_action": ["nonsense"], "index": "0"})

    assert response.status_code == 400


def test_a_list_action_concerns_no_object(browser: Client) -> None:
    make_customer()

    response = browser.post(url("count_all"), {"confirmed": "yes"}, follow=True)

    assert messages_of(response) == ["There are 1."]


@pytest.mark.parametrize(("codenames", "status"), [((), 403), (("view_customer",), 403), (("change_customer",), 200)])
def test_an_action_needs_its_permission(client: Client, codenames: tuple[str, ...], status: int) -> None:
    customer = make_customer()
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk)

    assert client.get(url("suspend", customer.pk)).status_code == status


def test_an_action_asks_the_admins_own_rule(browser: Client) -> None:
    assert browser.get(url("audit", make_customer().pk)).status_code == 403


@pytest.mark.parametrize(("tier", "shown"), [("free", True), ("startup", False)])
def test_a_button_shows_where_it_makes_sense(browser: Client, tier: str, shown: bool) -> None:
    response = browser.get(url("change", make_customer(tier=tier).pk))

    assert (b"Show a secret" in response.content) is shown


def test_a_secret_made_by_an_action_is_shown_once_and_never_cached(browser: Client) -> None:
    response = browser.post(url("show_secret", make_customer().pk), {"confirmed": "yes"})

    assert b"md_a-very-plain-secret" in response.content
    assert "no-store" in response["Cache-Control"]


def test_a_secret_made_by_the_add_page_is_shown_once(browser: Client) -> None:
    response = browser.post(url("add"), {"name": "Secretive", "email": "secretive@example.com"})

    assert b"md_a-very-plain-secret" in response.content
    assert Customer.objects.filter(name="Secretive").exists()


def test_the_secret_of_a_refused_creation_is_not_shown(browser: Client) -> None:
    taken = make_customer()

    response = browser.post(url("add"), {"name": "Secretive", "email": taken.email})

    assert b"md_a-very-plain-secret" not in response.content
    assert "email" in response.context["adminform"].form.errors


@pytest.mark.usefixtures("fussy_guard")
def test_the_delete_page_refuses_what_a_guard_blocks(browser: Client) -> None:
    customer = make_customer(name="Blocked")

    page = browser.get(url("delete", customer.pk))
    browser.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy", "confirm": "on"})

    assert b"Think twice" in page.content
    assert not page.context["page"].allowed
    assert Customer.objects.live().filter(pk=customer.pk).exists()


@pytest.mark.usefixtures("fussy_guard")
@pytest.mark.parametrize(("ticked", "left"), [({}, True), ({"confirm": "on"}, False)])
def test_the_delete_page_wants_a_warning_confirmed(browser: Client, ticked: dict[str, str], left: bool) -> None:
    customer = make_customer(name="Wary")

    browser.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy", **ticked})

    assert Customer.objects.live().filter(pk=customer.pk).exists() is left


def test_the_delete_page_asks_for_no_confirmation_without_a_warning(browser: Client) -> None:
    customer = make_customer(name="Acme")

    page = browser.get(url("delete", customer.pk))
    response = browser.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy"}, follow=True)

    assert list(page.context["form"].fields) == ["reason"]
    assert messages_of(response) == ["Deleted Acme."]
    assert response.redirect_chain[-1][0] == url("changelist")
    assert customer.history.latest("history_id").history_change_reason == "Tidy"


@pytest.mark.usefixtures("fussy_guard")
def test_bulk_deletion_leaves_what_is_blocked_alone(browser: Client) -> None:
    blocked, gone = make_customer(name="Blocked"), make_customer(name="Gone")
    chosen = {"action": "delete_selected", "_selected_action": [blocked.pk, gone.pk]}

    browser.post(url("changelist"), {**chosen, "index": "0"})
    assert Customer.objects.live().real().count() == 2
    answer = browser.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Tidy"}, follow=True)

    assert messages_of(answer) == ["Deleted Gone.", "Blocked: left alone."]
    assert list(Customer.objects.live().real()) == [blocked]


@pytest.mark.usefixtures("fussy_guard")
def test_djangos_own_ways_to_delete_call_the_operation() -> None:
    model_admin = desk._registry[Customer]
    request, blocked = HttpRequest(), make_customer(name="Blocked")

    with pytest.raises(CustomerDeletionBlocked):
        model_admin.delete_model(request, blocked)
    with pytest.raises(CustomerDeletionBlocked):
        model_admin.delete_queryset(request, Customer.objects.filter(pk=blocked.pk))
    assert Customer.objects.live().filter(pk=blocked.pk).exists()


def test_an_admin_without_hooks_offers_no_pages_for_them(operator: User) -> None:
    class Bare(ModelAdmin):
        pass

    request = HttpRequest()
    request.user = operator
    bare = Bare(Customer, desk)

    assert not bare.has_add_permission(request)
    assert not bare.has_change_permission(request)
    assert not bare.has_delete_permission(request)
    assert bare.has_view_permission(request)
    assert bare.get_actions(request) == {}


def test_facts_are_never_changed_here(operator: User) -> None:
    class Facts(ReadOnlyModelAdmin):
        def create(self, request: HttpRequest, form: Any) -> models.Model:
            return Customer()

    request = HttpRequest()
    request.user = operator
    facts = Facts(Customer, desk)

    assert not facts.has_add_permission(request)
    assert facts.has_view_permission(request)


def test_the_check_names_every_way_around_the_confirmation_page() -> None:
    @stock.action(description="At once")
    def at_once(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
        queryset.update(name="")

    class Hasty(ModelAdmin):
        list_display = ("pk", "name")
        list_editable = ("name",)

        def now(self, request: HttpRequest, object_id: str) -> None:
            """Act without asking."""

        @action("Lost", permissions=["nowhere_defined"])
        def lost(self, request: HttpRequest, object_id: str, cleaned: dict[str, Any]) -> None:
            """Ask for a permission nobody knows."""

    hasty = Hasty(Customer, desk)
    hasty.actions = [at_once]
    hasty.actions_row = ["now"]

    assert sorted(str(error.id) for error in errors_of(hasty)) == [
        "meterdesk.E001",
        "meterdesk.E001",
        "meterdesk.E002",
        "meterdesk.E003",
    ]
    assert check_admin_actions() == []


def test_an_action_without_permissions_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="permission"):
        action("Free for all", permissions=[])(lambda *_: None)


def test_columns_print_money_badges_and_links() -> None:
    customer = make_customer(name="<b>Acme</b>", currency="EUR")
    wallet = make_wallet(customer=customer, currency="EUR", balance="1250")

    assert money_column("balance")(wallet) == "€1,250.00"
    assert money_column("balance", "customer__currency")(wallet) == "€1,250.00"
    assert "bg-blue-100" in status_badge("tier", {"free": "info"})(customer)
    assert "&lt;b&gt;Acme" in link_to(customer)
    assert link_to(None) == NOTHING
