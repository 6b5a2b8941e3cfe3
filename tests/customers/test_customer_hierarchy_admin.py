"""The trees of customers at the desk: on a customer's page, and in the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.kernel.admin import change_url
from customers.admin import hierarchy
from customers.models import Customer
from customers.operations.deletion import delete_customer
from customers.operations.status import deactivate_customer
from customers.operations.suspension import suspend_customer
from tests.customers.test_customers_admin import url
from tests.factories import NOW, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def family() -> dict[str, Customer]:
    """Return a group with two daughters and a granddaughter, and somebody apart."""
    group = make_customer(name="Group")
    europe, asia = (make_customer(name=name, parent=group.pk) for name in ("Europe", "Asia"))
    berlin = make_customer(name="Berlin", parent=europe.pk)
    return {one.name: one for one in (group, europe, asia, berlin, make_customer(name="Apart"))}


def tree_of(browser: Client, customer: Customer) -> list[tuple[str, int]]:
    """Return the names in the tree on the customer's page, each with its depth."""
    page = browser.get(url("change", customer.pk))
    contexts: Any = page.context
    rows: Any = next((one["rows"] for one in contexts if "rows" in one and "list_url" in one), [])
    return [(place.customer.name, place.depth) for place, *_ in rows]


def found(browser: Client, **query: Any) -> set[str]:
    return {one.name for one in browser.get(url("changelist"), query).context["cl"].result_list}


def test_the_page_shows_those_above_and_below_indented_by_their_depth(desk: Client, reader: Client) -> None:
    made = family()

    for browser in (desk, reader):
        assert tree_of(browser, made["Europe"]) == [("Group", 0), ("Europe", 1), ("Berlin", 2)]
        assert tree_of(browser, made["Group"]) == [("Group", 0), ("Asia", 1), ("Europe", 1), ("Berlin", 2)]


def test_each_place_of_a_tree_is_a_link_with_the_status_now(desk: Client) -> None:
    made = family()
    suspend_customer(made["Berlin"].pk, now=NOW)
    deactivate_customer(made["Europe"].pk, now=NOW)

    page = desk.get(url("change", made["Group"].pk)).content.decode()
    tree = page.partition('id="hierarchy"')[2].partition("</ul>")[0]

    assert [tree.count(one) for one in ("Active", "Inactive", "Suspended")] == [2, 1, 1]
    for name in ("Europe", "Asia", "Berlin"):
        assert change_url(made[name]) in tree
    assert change_url(made["Group"]) not in tree


def test_the_way_down_stands_above_the_page(desk: Client) -> None:
    made = family()

    berlin, group = (desk.get(url("change", made[name].pk)).context["way_down"] for name in ("Berlin", "Group"))

    assert berlin == [(name, change_url(made[name])) for name in ("Group", "Europe")]
    assert group == []


def test_one_that_stands_alone_says_so(desk: Client) -> None:
    alone = "This customer stands alone"
    made = family()

    assert alone in desk.get(url("change", made["Apart"].pk)).content.decode()
    assert alone not in desk.get(url("change", made["Asia"].pk)).content.decode()
    assert alone not in desk.get(url("add")).content.decode()


def test_a_deleted_customer_is_in_no_tree(desk: Client) -> None:
    made = family()
    delete_customer(made["Asia"].pk, confirm=True, now=NOW)

    assert "Asia" not in dict(tree_of(desk, made["Group"]))


def test_a_large_tree_is_cut_and_leads_to_the_list(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy, "TREE_ROWS", 3)
    made = family()
    more = "There are more."

    assert len(tree_of(desk, made["Group"])) == 3
    assert more in desk.get(url("change", made["Group"].pk)).content.decode()
    assert more not in desk.get(url("change", made["Europe"].pk)).content.decode()


def test_the_list_is_narrowed_to_a_customer_and_all_below_it(desk: Client) -> None:
    made = family()

    assert found(desk, within=made["Group"].pk) == {"Group", "Europe", "Asia", "Berlin"}
    assert found(desk, within=made["Europe"].pk) == {"Europe", "Berlin"}
    assert found(desk, within=made["Europe"].pk, q="berl") == {"Berlin"}
    assert {"Apart", "Group"} <= found(desk, within="")


@pytest.mark.parametrize("typed", ["nonsense", "cust_1", "prod_01h455vb4pex5vsknk084sn02q", "cust_\0"])
def test_a_filter_by_what_is_no_customer_leads_back_to_the_list(desk: Client, typed: str) -> None:
    response = desk.get(url("changelist"), {"within": typed})

    assert (response.status_code, response["Location"]) == (302, f"{url('changelist')}?e=1")


def test_a_filter_by_an_unknown_customer_finds_nothing(desk: Client) -> None:
    assert found(desk, within="cust_01h455vb4pex5vsknk084sn02q") == set()


def test_the_list_shows_the_parent_as_a_link(desk: Client) -> None:
    made = family()

    page = desk.get(url("changelist"), {"q": "berlin"}).content.decode()

    assert f'<a href="{change_url(made["Europe"])}"' in page


def test_a_page_asks_the_database_as_often_for_a_large_tree_as_for_a_small_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    small = make_customer(parent=make_customer().pk)
    large = make_customer(parent=make_customer().pk)
    for _ in range(6):
        make_customer(parent=make_customer(parent=large.pk).pk)

    with django_assert_max_num_queries(100) as first:
        desk.get(url("change", small.pk))
    with django_assert_max_num_queries(len(first)):
        desk.get(url("change", large.pk))
    assert len(first) < 40
