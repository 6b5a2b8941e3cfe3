"""A desk of its own for tests of the admin's base: one admin with every hook, on a private site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import include, path, reverse
from django.utils import timezone

from config.kernel.admin import (
    ActionForm,
    ModelAdmin,
    action,
    list_action,
    site,
    status_badge,
)
from config.kernel.secrets import IssuedSecret, hand_over
from customers.errors import SystemCustomer
from customers.models import Customer
from customers.operations.customers import CustomerFields, create_customer, update_customer
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_customer

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


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_customer_{page}", args=arguments)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]
