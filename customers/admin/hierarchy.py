"""Where a customer stands: its tree, the way down to it, and the list of all within one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from config.kernel.admin import Colour, RelatedToFilter, badge, change_url, display, link_to
from customers.models import Customer, CustomerStatus
from customers.queries.hierarchy import Place, ancestors, tree_below, within

STATUS_COLOURS: dict[str, Colour] = {
    CustomerStatus.ACTIVE: "success",
    CustomerStatus.INACTIVE: "warning",
    CustomerStatus.SUSPENDED: "danger",
}
#: How many customers a page shows of a tree, those above left out; the list shows the rest.
TREE_ROWS = 200
#: The step of the theme's scale (0 to 24) by which a level is indented; trees are at most 8 deep.
INDENT = 3
#: What names the customer that a parent is chosen for, in the address that answers while typing.
PARENT_OF = "parent_of"


class ParentSelect(AutocompleteSelect):
    """Finds a parent by typing; ``customer_id`` is the customer it is for, which cannot stand below itself."""

    def __init__(self, *args: Any, customer_id: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer_id = customer_id

    def get_url(self) -> str:
        """Tell the view whom the parent is for."""
        url = super().get_url()
        return url if self.customer_id is None else f"{url}?{urlencode({PARENT_OF: self.customer_id})}"


def possible_parents(customers: Any, request: HttpRequest) -> Any:
    """Keep what can stand above the customer that ``request`` names: not the bucket, not itself, none below it."""
    found = customers.real()
    try:
        pk = Customer._meta.pk.to_python(request.GET.get(PARENT_OF) or None)
    except ValidationError as error:
        raise BadRequest("The customer whose parent is asked for has no such id") from error
    return found if pk is None else found.exclude(pk__in=within(Customer.objects.live(), pk).values("pk"))


class WithinFilter(RelatedToFilter):
    """A customer and all below it."""

    title = "within"
    parameter_name = "within"
    field_name = "parent"

    def related_to(self, queryset: Any, pk: Any) -> Any:
        """Keep the customer and those below it."""
        return within(queryset, pk)


@display(description="status")
def status_now(customer: Customer) -> str:
    """Show the status now."""
    status = customer.status(timezone.now())
    return badge(status.label, STATUS_COLOURS[status])


@display(description="parent", ordering="parent__name")
def parent_link(customer: Customer) -> str:
    """Show what the customer stands below as a link to its page."""
    return link_to(customer.parent)


@display(description="tree")
def tree(customer: Customer) -> str:
    """Show those above the customer, itself and those below it, each indented by its depth."""
    above = ancestors(customer)
    below = tree_below(customer, limit=TREE_ROWS + 1)
    places = [Place(customer=one, depth=depth) for depth, one in enumerate(above)]
    places += [Place(customer=one.customer, depth=len(above) + one.depth) for one in below[:TREE_ROWS]]
    context = {
        "rows": [(one, one.depth * INDENT, status_now(one.customer), change_url(one.customer)) for one in places],
        "customer": customer,
        "more": len(below) > TREE_ROWS,
        "list_url": f"{reverse('admin:customers_customer_changelist')}?{WithinFilter.parameter_name}={customer.pk}",
    }
    return render_to_string("customers/tree.html", context)


def way_down_to(customer: Customer | None) -> list[tuple[str, str]]:
    """Return name and address of every customer above this one, the root first."""
    return [(str(one), change_url(one)) for one in ancestors(customer)] if customer is not None else []
