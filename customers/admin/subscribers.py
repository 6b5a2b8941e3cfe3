"""Subscribers in the admin: people and service accounts, and those whose customer is not known yet."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from config.kernel.admin import (
    ActionForm,
    AutocompleteFilter,
    DropdownFilter,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    action,
    display,
    link_to,
    page_link,
    register,
    site,
)
from config.kernel.admin.columns import NOTHING
from customers.models import UNCLASSIFIED_ID, Customer, Subscriber
from customers.operations.subscribers import (
    assign_suggested_customer,
    create_subscriber,
    delete_subscriber,
    reassign_subscriber,
    update_subscriber,
)
from customers.queries.suggestions import with_suggestions


class SubscriberForm(RecordForm):
    """A subscriber as an operator describes it."""

    class Meta:
        model = Subscriber
        fields = ("email", "first_name", "last_name", "subscriber_id", "customer")
        help_texts: ClassVar = {
            "email": "What usage names the subscriber by. Must be unique among the customer's subscribers.",
            "subscriber_id": "What the customer's own system calls the subscriber; our id where left empty.",
            "customer": "UNCLASSIFIED where it is not known; it can be assigned later, and its usage moves with it.",
        }


class AssignmentForm(ActionForm):
    """Asks whose subscribers these are; what their e-mail domain suggests stands there already."""

    customer = forms.ModelChoiceField(
        queryset=Customer.objects.live().real(),
        widget=AutocompleteSelect(Subscriber._meta.get_field("customer"), site),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        suggested = {one.suggestion for one in with_suggestions(self.objects)}
        if len(suggested) == 1 and (customer := suggested.pop()) is not None:
            self.initial["customer"] = customer.pk
            domains = ", ".join(sorted({one.email_domain for one in self.objects}))
            self.fields["customer"].help_text = f"{customer} is suggested, because of the domain {domains}."


class ClassificationFilter(DropdownFilter):
    """Subscribers whose customer is known, or is not."""

    title = "classification"
    parameter_name = "classification"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer both."""
        return [("unclassified", "UNCLASSIFIED"), ("assigned", "Assigned to a customer")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the subscribers asked for."""
        match self.value():
            case "unclassified":
                return queryset.unclassified()
            case "assigned":
                return queryset.exclude(customer=UNCLASSIFIED_ID)
        return queryset


@display(description="Organization / e-mail", ordering="email")
def organization_and_email(subscriber: Subscriber) -> str:
    """Show the customer and, below it, the e-mail."""
    return format_html(
        '<span class="block text-font-subtle-light text-xs dark:text-font-subtle-dark">{}</span>{}',
        subscriber.customer,
        subscriber.email,
    )


@display(description="suggestion")
def suggestion(subscriber: Any) -> str:
    """Show the only customer with the e-mail's domain, while the subscriber is unclassified."""
    found = getattr(subscriber, "suggestion", None)
    return NOTHING if found is None else format_html("{} ({})", link_to(found), subscriber.email_domain)


def is_unclassified(subscriber: Subscriber) -> bool:
    """Tell whether the subscriber's customer is not known."""
    return subscriber.customer_id == UNCLASSIFIED_ID


class SubscriberList(ChangeList):
    """A page of subscribers, each with the customer it probably belongs to, looked up at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the suggestions for those on it."""
        super().get_results(request)
        self.result_list: Any = with_suggestions(self.result_list)


class SubscriberInline(LinkedRows):
    """The customer's subscribers."""

    model = Subscriber
    verbose_name_plural = "subscribers"
    fields: ClassVar[Any] = (page_link, "first_name", "last_name", "subscriber_id")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the live ones."""
        return super().get_queryset(request).filter(deleted_at__isnull=True)


@register(Subscriber)
class SubscriberAdmin(ModelAdmin):
    """Who uses the service."""

    form = SubscriberForm
    list_display = (organization_and_email, "first_name", "last_name", "subscriber_id", suggestion, "created_at")
    list_filter = (ClassificationFilter, ("customer", AutocompleteFilter))
    list_select_related = ("customer",)
    search_fields = ("email", "first_name", "last_name", "subscriber_id")
    search_help_text = "Beginnings of words of the e-mail, the names or the subscriber ID"
    autocomplete_fields = ("customer",)
    fields: ClassVar[Any] = ("email", "first_name", "last_name", "subscriber_id", "customer", suggestion)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the suggestion where there can be one."""
        return self.fields if obj and is_unclassified(obj) else SubscriberForm.Meta.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new subscriber has not got yet."""
        return self.inlines if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the deleted ones out."""
        return Subscriber.objects.live().select_related("customer")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the API does."""
        return queryset.searched(search_term), False  # type: ignore[attr-defined]

    def suggested_as(self, obj: Any) -> str:
        """Name the customer too: others may have one with that e-mail address."""
        return f"{obj} ({obj.customer})"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Look the suggestions up with each page."""
        return SubscriberList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a subscriber with the customer it probably belongs to."""
        subscriber = super().get_object(request, object_id, from_field)
        return None if subscriber is None else with_suggestions([subscriber])[0]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave the customer to the action that assigns one."""
        return [*super().get_readonly_fields(request, obj), *(["customer"] if obj else [])]

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """Begin with the UNCLASSIFIED customer."""
        return {"customer": UNCLASSIFIED_ID, **super().get_changeform_initial_data(request)}

    def create(self, request: HttpRequest, form: Any) -> Subscriber:
        """Create a subscriber."""
        asked = form.cleaned_data
        return create_subscriber(**{**asked, "customer": asked["customer"].pk}, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Subscriber:
        """Change the subscriber."""
        return update_subscriber(obj_id, **form.cleaned_data, now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the subscriber; its keys are revoked."""
        delete_subscriber(obj_id, confirm=cleaned["confirm"], now=timezone.now())

    @action(
        "Assign to customer", permissions=["change"], form=AssignmentForm, when=is_unclassified, bulk=True,
        icon="person_add",
    )  # fmt: skip
    def assign(self, request: HttpRequest, subscriber_id: str, cleaned: dict[str, Any]) -> str:
        """Make it the customer's subscriber for good; its usage that is not billed yet moves with it."""
        customer = cleaned["customer"]
        subscriber = reassign_subscriber(subscriber_id, customer=customer.pk, now=timezone.now())
        return f"{subscriber} belongs to {customer}."

    @action("Assign to suggested customers", permissions=["change"], detail=False, bulk=True, icon="auto_awesome")
    def assign_suggested(self, request: HttpRequest, subscriber_id: str, cleaned: dict[str, Any]) -> str:
        """Make each the subscriber of the only customer with its e-mail domain; those without one are left alone."""
        subscriber = assign_suggested_customer(subscriber_id, now=timezone.now())
        return f"{subscriber} belongs to {subscriber.customer}."
