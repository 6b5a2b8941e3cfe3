"""Customers below customers: a tree without circles, of a bounded depth, asked for in one query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from config.kernel.errors import NotFound
from customers.errors import CircularParent, HierarchyTooDeep
from customers.models import MAX_DEPTH, UNCLASSIFIED_ID, Customer
from customers.operations.customers import update_customer
from customers.operations.deletion import delete_customer
from customers.queries.hierarchy import ancestors, below, members, tree_below, within
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_customer, make_subscription

pytestmark = pytest.mark.django_db


def chain(length: int) -> list[Customer]:
    """Return customers of whom each stands below the one before."""
    made: list[Customer] = []
    for number in range(length):
        made.append(make_customer(name=f"Level {number + 1}", parent=made[-1].id if made else None))
    return made


def move(customer: Customer, parent: Customer | None) -> Customer:
    return update_customer(customer.id, parent=None if parent is None else parent.id, now=NOW)


def move_by_hand(customer: Customer, parent: Customer) -> None:
    """Set the parent past every operation."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET parent_id = %s WHERE id = %s", [parent.id.uuid, customer.id.uuid])


def test_a_customer_is_made_below_another_and_moved_and_freed() -> None:
    first, second = make_customer(), make_customer()
    child = make_customer(parent=first.id)
    assert child.parent_id == first.id

    assert move(child, second).parent == second
    assert move(child, None).parent is None


@pytest.mark.parametrize("lowest", [0, 1, 3])
def test_a_customer_never_stands_below_itself(lowest: int) -> None:
    line = chain(4)

    with pytest.raises(CircularParent) as refusal:
        move(line[0], line[lowest])
    assert refusal.value.param == "parent"
    with pytest.raises(IntegrityError, match="stand below itself"):
        move_by_hand(line[0], line[lowest])

    assert move(line[3], line[0]).parent == line[0]


def test_a_tree_is_so_deep_and_no_deeper() -> None:
    line = chain(MAX_DEPTH)

    with pytest.raises(HierarchyTooDeep) as refusal:
        make_customer(parent=line[-1].id)
    assert (refusal.value.param, refusal.value.details) == ("parent", {"deepest": MAX_DEPTH})
    with pytest.raises(HierarchyTooDeep):
        move(make_customer(), line[-1])
    with pytest.raises(IntegrityError, match="at most 8 deep"):
        move_by_hand(make_customer(), line[-1])

    assert make_customer(parent=line[-2].id).parent == line[-2]


@pytest.mark.parametrize(("above", "moved"), [(1, MAX_DEPTH), (4, 5), (MAX_DEPTH, 1)])
def test_a_tree_moves_with_everything_below_it_or_not_at_all(above: int, moved: int) -> None:
    high, low = chain(above), chain(moved)

    with pytest.raises(HierarchyTooDeep):
        move(low[0], high[-1])
    assert Customer.objects.get(pk=low[0].pk).parent_id is None

    if moved > 1:
        assert move(low[1], high[-1]).parent == high[-1]
    else:
        assert move(low[0], high[-2]).parent == high[-2]


def test_a_deleted_customer_makes_no_tree_deeper() -> None:
    line = chain(3)
    delete_customer(line[2].id, confirm=True, now=NOW)
    high = chain(MAX_DEPTH - 2)

    assert move(line[0], high[-1]).parent == high[-1]


def test_a_parent_is_a_living_ordinary_customer() -> None:
    gone, child = make_customer(), make_customer()
    delete_customer(gone.id, confirm=True, now=NOW)

    for parent in (gone.id, UNCLASSIFIED_ID, "cust_01h455vb4pex5vsknk084sn02q", "cust_nonsense"):
        for attempt in (make_customer, lambda **fields: update_customer(child.id, now=NOW, **fields)):
            with pytest.raises(NotFound) as refusal:
                attempt(parent=parent)
            assert (refusal.value.noun, refusal.value.identifier, refusal.value.param) == ("customer", parent, "parent")


def test_the_same_parent_again_is_no_change() -> None:
    child = make_customer(parent=make_customer().id)

    update_customer(child.id, parent=child.parent_id, now=NOW)

    assert child.history.count() == 1


def family() -> dict[str, Customer]:
    """Return a tree: Root > (Ann > (Cid, Deb), Bob), and Zoe who stands alone."""
    root = make_customer(name="Root")
    ann, bob = make_customer(name="Ann", parent=root.id), make_customer(name="bob", parent=root.id)
    deb, cid = make_customer(name="Deb", parent=ann.id), make_customer(name="Cid", parent=ann.id)
    return {"root": root, "ann": ann, "bob": bob, "cid": cid, "deb": deb, "zoe": make_customer(name="Zoe")}


def test_a_tree_is_told_parents_first_and_siblings_by_name(django_assert_num_queries: Callable[[int], Any]) -> None:
    tree = family()

    with django_assert_num_queries(1):
        places = [(place.customer.name, place.depth) for place in tree_below(tree["root"], limit=100)]
    assert places == [("Root", 0), ("Ann", 1), ("Cid", 2), ("Deb", 2), ("bob", 1)]
    assert [place.customer.name for place in tree_below(tree["root"], limit=2)] == ["Root", "Ann"]
    assert [place.depth for place in tree_below(tree["zoe"], limit=100)] == [0]


def test_ancestors_are_told_from_the_root_down(django_assert_num_queries: Callable[[int], Any]) -> None:
    tree = family()

    with django_assert_num_queries(1):
        assert ancestors(tree["cid"]) == [tree["root"], tree["ann"]]
    assert ancestors(tree["root"]) == []


def test_members_of_several_trees_are_told_at_once(django_assert_num_queries: Callable[[int], Any]) -> None:
    tree = family()
    asked = [tree[name].id for name in ("root", "ann", "zoe")]

    with django_assert_num_queries(1):
        found = members(asked)

    assert {root: set(ids) for root, ids in found.items()} == {
        tree["root"].id: {tree[name].id for name in ("root", "ann", "bob", "cid", "deb")},
        tree["ann"].id: {tree[name].id for name in ("ann", "cid", "deb")},
        tree["zoe"].id: {tree["zoe"].id},
    }
    assert [ids[0] for ids in found.values()] == asked
    assert members([]) == {}


def test_a_deleted_customer_is_in_no_tree() -> None:
    tree = family()
    delete_customer(tree["deb"].id, confirm=True, now=NOW)

    assert tree["deb"].id not in members([tree["root"].id])[tree["root"].id]
    assert [place.customer.name for place in tree_below(tree["ann"], limit=9)] == ["Ann", "Cid"]
    assert set(below(Customer.objects.all(), tree["ann"].id)) == {tree["cid"]}
    assert set(within(Customer.objects.all(), tree["ann"].id)) == {tree["ann"], tree["cid"]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("parent=root", ["ann", "bob"]),
        ("parent=cid", []),
        ("ancestor=root", ["ann", "bob", "cid", "deb"]),
        ("ancestor=ann", ["cid", "deb"]),
        ("ancestor=cid", []),
        ("ancestor=root&search=deb", ["deb"]),
        ("ancestor=root&parent=ann", ["cid", "deb"]),
    ],
)
def test_the_api_lists_direct_children_and_everybody_below(api: APIClient, query: str, found: list[str]) -> None:
    tree = family()
    for name, customer in tree.items():
        query = query.replace(f"={name}", f"={customer.id}") if f"search={name}" not in query else query
    query = query.replace("ancestor=root", f"ancestor={tree['root'].id}")

    answer = api.get(f"/v1/customers?{query}")

    assert set(ids_of(answer)) == {tree[name].id for name in found}
    assert answer.json()["pagination"]["total"] == len(found)


def test_nobody_stands_below_a_stranger(api: APIClient) -> None:
    family()
    stranger = "cust_01h455vb4pex5vsknk084sn02q"

    assert ids_of(api.get(f"/v1/customers?ancestor={stranger}")) == []
    assert ids_of(api.get(f"/v1/customers?parent={stranger}")) == []
    for name in ("parent", "ancestor"):
        assert refusal_of(api.get(f"/v1/customers?{name}=acme")) == (400, f"invalid_{name}", name)


def test_the_api_moves_a_customer_and_tells_why_not(api: APIClient) -> None:
    line = chain(2)
    path = f"/v1/customers/{line[0].id}"

    refused = api.patch(path, {"parent": line[1].id})

    assert refusal_of(refused) == (409, "circular_parent", "parent")
    assert error_of(refused)["message"] == "A customer cannot stand below itself"
    assert refusal_of(api.patch(path, {"parent": line[0].id})) == (409, "circular_parent", "parent")
    unknown = error_of(api.patch(path, {"parent": "cust_01h455vb4pex5vsknk084sn02q"}))
    assert (unknown["code"], unknown["param"]) == ("customer_not_found", "parent")
    assert unknown["message"] == "Customer cust_01h455vb4pex5vsknk084sn02q not found"
    deepest = chain(MAX_DEPTH)[-1]
    too_deep = api.patch(path, {"parent": deepest.id})
    assert refusal_of(too_deep) == (409, "hierarchy_too_deep", "parent")
    assert error_of(too_deep)["details"] == {"deepest": MAX_DEPTH}
    assert api.patch(f"/v1/customers/{line[1].id}", {"parent": None}).json()["parent"] is None
    assert api.patch(path, {"parent": line[1].id}).json()["parent"] == line[1].id


def test_a_parent_may_change_after_something_was_assigned(api: APIClient) -> None:
    customer = make_subscription().customer

    assert api.patch(f"/v1/customers/{customer.id}", {"parent": make_customer().id}).status_code == 200


def test_a_customer_with_children_stays(api: APIClient) -> None:
    parent, child = chain(2)

    assert code_of(api.delete(f"/v1/customers/{parent.id}?confirm=true")) == (409, "customer_deletion_blocked")
    assert api.delete(f"/v1/customers/{child.id}").status_code == 200
    assert api.delete(f"/v1/customers/{parent.id}").status_code == 200
