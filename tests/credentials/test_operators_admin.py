"""People at the desk: added, changed and deactivated, never deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from tests.factories import make_clerk, make_operator

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture
def olga() -> User:
    return make_operator(username="olga")


@pytest.fixture
def desk(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:auth_user_{page}", args=arguments)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_operator_is_added_and_can_sign_in(desk: Client) -> None:
    response = desk.post(url("add"), {"username": "omar", "password1": PASSWORD, "password2": PASSWORD})

    omar = User.objects.get(username="omar")
    assert response["Location"] == url("change", omar.pk)
    assert omar.is_staff
    assert Client().login(username="omar", password=PASSWORD)


def test_a_weak_password_is_refused_and_the_name_kept(desk: Client) -> None:
    response = desk.post(
        url("add"), {"username": "omar", "usable_password": "true", "password1": "123", "password2": "123"}
    )

    form = response.context["adminform"].form
    assert "password2" in form.errors
    assert form["username"].value() == "omar"


def test_an_operator_is_given_a_group_and_deactivated(desk: Client) -> None:
    omar, group = make_clerk("view_customer"), Group.objects.create(name="Support staff")

    page = desk.get(url("change", omar.pk)).content.decode()
    desk.post(url("change", omar.pk), {"username": "omar", "is_staff": "on", "groups": [group.pk]})

    omar.refresh_from_db()
    assert "Operators are never deleted" in page
    assert (omar.username, omar.is_active, list(omar.groups.all())) == ("omar", False, [group])
    assert list(omar.user_permissions.all()) == []


def test_nobody_is_deleted(desk: Client) -> None:
    omar = make_clerk()
    chosen = {"action": "delete_selected", "_selected_action": [omar.pk], "confirmed": "yes", "reason": "Left"}

    assert desk.post(url("delete", omar.pk), {"confirmed": "yes", "reason": "Left"}).status_code == 403
    desk.post(url("changelist"), chosen)

    assert User.objects.filter(pk=omar.pk).exists()


def test_nobody_locks_themselves_out(desk: Client, olga: User) -> None:
    desk.post(url("change", olga.pk), {"username": "olga", "first_name": "Olga"})

    olga.refresh_from_db()
    assert (olga.first_name, olga.is_active, olga.is_staff, olga.is_superuser) == ("Olga", True, True, True)


def test_nobody_raises_themselves(olga: User) -> None:
    clerk, group = make_clerk("change_user", "view_user"), Group.objects.create(name="Everything")
    everything = Permission.objects.values_list("pk", flat=True)
    sent = {"username": "clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"}

    browser_of(clerk).post(
        url("change", clerk.pk), {**sent, "user_permissions": list(everything), "groups": [group.pk]}
    )

    clerk.refresh_from_db()
    assert (clerk.username, clerk.is_superuser, clerk.groups.count(), clerk.user_permissions.count()) == (
        "clerk", False, 0, 2
    )  # fmt: skip


def test_a_superuser_is_changed_by_superusers_only(olga: User) -> None:
    browser = browser_of(make_clerk("change_user", "view_user"))
    new = {"password1": PASSWORD * 2, "password2": PASSWORD * 2, "usable_password": "true"}

    assert browser.post(url("change", olga.pk), {"username": "renamed"}).status_code == 403
    assert browser.post(reverse("admin:auth_user_password_change", args=[olga.pk]), new).status_code == 403


def test_a_password_is_set_by_a_superuser(desk: Client) -> None:
    omar = make_clerk()
    address = reverse("admin:auth_user_password_change", args=[omar.pk])

    assert desk.get(address).status_code == 200
    desk.post(address, {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"})

    assert Client().login(username=omar.username, password=PASSWORD)


def test_groups_are_made_of_permissions_on_records(desk: Client) -> None:
    allowed = Permission.objects.get(codename="view_customer")
    address = reverse("admin:auth_group_add")

    offered = desk.get(address).context["adminform"].form.fields["permissions"].queryset
    desk.post(address, {"name": "Support staff", "permissions": [allowed.pk]})

    assert not offered.filter(codename__contains="historical").exists()
    assert list(Group.objects.get(name="Support staff").permissions.all()) == [allowed]


def test_the_lists_open(desk: Client) -> None:
    clerk = make_clerk()

    assert clerk.username in desk.get(url("changelist")).content.decode()
    assert desk.get(reverse("admin:auth_group_changelist")).status_code == 200
    assert desk.get(url("history", clerk.pk)).status_code == 200
