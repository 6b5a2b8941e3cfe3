"""One menu instead of many buttons, and actions that a higher app adds to a lower app's pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client, RequestFactory

from config.kernel.admin import ModelAdmin, action
from config.kernel.admin.checks import errors_of
from customers.models import Customer
from tests.config.admin_desk import DeskCustomerAdmin, desk, url
from tests.factories import make_customer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.config.admin_desk"),
    pytest.mark.usefixtures("desk_without_navigation"),
]


@action("Greet", permissions=["change"], reason=None, bulk=True, when=lambda customer: customer.name != "Shy")
def greet(self: ModelAdmin, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
    """Greet the customer."""
    return f"Hello, {Customer.objects.get(pk=customer_id)}."


@action("Praise", permissions=["praise"], detail=True)
def praise(self: ModelAdmin, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> None:
    """Ask for a permission that nobody thought of."""


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch) -> type[ModelAdmin]:
    """Put an admin with a menu, of a class of its own, in the place of the desk's, and return its class."""

    class MenuAdmin(DeskCustomerAdmin):
        """A customer's pages with a menu."""

        actions_menu = True

    registry: dict[Any, Any] = desk._registry
    monkeypatch.setitem(registry, Customer, MenuAdmin(Customer, desk))
    return MenuAdmin


def admin_of(kind: type[ModelAdmin]) -> ModelAdmin:
    """Return the desk's admin, which is of this kind."""
    found = desk._registry[Customer]
    assert isinstance(found, kind)
    return found


def entries(admin: ModelAdmin, user: User, customer: Customer) -> list[str]:
    """Return the titles of the menu on the page of ``customer``; none where there is no menu."""
    request = RequestFactory().get("/")
    request.user = user
    response: Any = admin.changeform_view(request, str(customer.pk))
    menus = response.context_data["actions_detail"]
    assert [menu["title"] for menu in menus] in ([], ["Actions"])
    return [entry["title"] for menu in menus for entry in menu["items"]]


def offered(admin: ModelAdmin, user: User, customer: Customer) -> list[str]:
    """Return the labels of the actions offered on the page of ``customer``."""
    request = RequestFactory().get("/")
    request.user = user
    actions: Any = admin
    return [str(one.description) for one in actions.get_actions_detail(request, str(customer.pk))]


def test_an_added_action_stands_where_it_was_put_on_an_admin_that_is_registered_already(
    extended: type[ModelAdmin], admin_user: User
) -> None:
    admin = admin_of(extended)
    before = offered(admin, admin_user, make_customer())

    extended.extend(greet, after="suspend")

    place = before.index("Suspend") + 1
    assert offered(admin, admin_user, make_customer()) == [*before[:place], "Greet", *before[place:]]
    assert "greet" in [*(admin.actions or ())]
    assert list(errors_of(admin)) == []


def test_an_added_action_keeps_the_rules_of_all_actions(extended: type[ModelAdmin], admin_user: User) -> None:
    extended.extend(greet, after="suspend")

    assert "Greet" not in offered(admin_of(extended), admin_user, make_customer(name="Shy"))
    assert "Greet" not in offered(admin_of(extended), User.objects.create_user("nobody"), make_customer())

    extended.extend(praise, after="greet")

    assert [error.id for error in errors_of(admin_of(extended))] == ["meterdesk.E002"]


def test_an_added_action_stays_with_the_class_that_was_extended(extended: type[ModelAdmin]) -> None:
    extended.extend(greet, after="suspend")

    assert "greet" in extended.declared_actions()
    assert "greet" not in DeskCustomerAdmin.declared_actions()


def test_the_place_of_an_added_action_has_to_exist(extended: type[ModelAdmin]) -> None:
    with pytest.raises(ValueError, match="is not in list"):
        extended.extend(greet, after="nothing")


def test_the_menu_ends_with_the_deletion_and_shows_only_what_is_permitted(extended: type[ModelAdmin]) -> None:
    customer = make_customer()
    operator, viewer = User.objects.create_superuser("root"), User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_customer"))

    assert entries(admin_of(extended), operator, customer)[-1] == "Delete"
    assert entries(admin_of(extended), viewer, customer) == []


def test_without_the_menu_every_action_is_a_button(browser: Client) -> None:
    buttons = browser.get(url("change", make_customer().pk)).context["actions_detail"]

    assert "Suspend" in [one["title"] for one in buttons]
    assert all("items" not in one for one in buttons)
