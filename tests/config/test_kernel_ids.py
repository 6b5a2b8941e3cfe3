"""TypeIDs: one name for a row, sorted by when it was made, kept as a uuid."""

from __future__ import annotations

import json
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.errors import NotFound
from config.kernel.ids import MalformedTypeID, TypeID, TypeIDField
from customers.models import UNCLASSIFIED_ID, Customer
from tests.factories import make_customer

#: Source: the TypeID specification's valid.json (jetify-com/typeid, spec v0.3): name, prefix, uuid.
SPECIFIED = [
    ("prefix_0123456789abcdefghjkmnpqrs", "prefix", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
    ("prefix_01h455vb4pex5vsknk084sn02q", "prefix", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("pre_fix_00000000000000000000000000", "pre_fix", "00000000-0000-0000-0000-000000000000"),
]


@pytest.mark.parametrize(("text", "prefix", "value"), SPECIFIED)
def test_ids_are_those_of_the_specification(text: str, prefix: str, value: str) -> None:
    assert TypeID.parse(text, prefix).uuid == uuid.UUID(value)
    assert TypeID.from_uuid(uuid.UUID(value), prefix) == text
    assert TypeID(text).prefix == prefix


@given(st.uuids())
def test_every_uuid_has_one_name_and_every_name_its_uuid(value: uuid.UUID) -> None:
    name = TypeID.from_uuid(value, "cust")

    assert name.uuid == value
    assert TypeID.parse(str(name), "cust") == name


@given(st.lists(st.uuids(), min_size=2))
def test_names_sort_as_their_uuids(values: list[uuid.UUID]) -> None:
    names = [TypeID.from_uuid(value, "cust") for value in values]

    assert sorted(names) == [TypeID.from_uuid(value, "cust") for value in sorted(values)]


def test_ids_made_later_sort_later() -> None:
    names = [TypeID.new("cust") for _ in range(200)]

    assert names == sorted(set(names))
    assert {name.uuid.version for name in names} == {7}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cust",
        "cust_",
        "sub_01h455vb4pex5vsknk084sn02q",
        "customer_01h455vb4pex5vsknk084sn02q",
        "01h455vb4pex5vsknk084sn02q",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "cust_01h455vb4pex5vsknk084sn02",
        "cust_01h455vb4pex5vsknk084sn02qq",
        # Upper case, letters outside the alphabet, and more than 128 bits.
        "CUST_01h455vb4pex5vsknk084sn02q",
        "cust_01H455VB4PEX5VSKNK084SN02Q",
        "cust_01h455vb4pex5vsknk084sn02u",
        "cust_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "cust_01h455vb4pex5vsknk084sn0\x00q",
        "cust_01h455vb4pex5vsknk084sn02é",
        None,
        7,
        uuid.UUID(int=7),
    ],
)
def test_what_is_no_id_of_the_kind_is_refused(text: object) -> None:
    with pytest.raises(MalformedTypeID, match="is not an id of the kind cust_"):
        TypeID.parse(text, "cust")


@given(st.text(max_size=40))
def test_no_text_makes_anything_but_an_id_or_a_refusal(text: str) -> None:
    try:
        parsed = TypeID.parse(f"cust_{text}", "cust")
    except MalformedTypeID:
        return
    assert parsed == f"cust_{text}"


def test_an_id_goes_through_json_and_logs_as_the_text_it_is() -> None:
    name = TypeID("cust_01h455vb4pex5vsknk084sn02q")

    assert json.dumps({"id": name}) == '{"id": "cust_01h455vb4pex5vsknk084sn02q"}'
    assert f"{name}" == str(name) == "cust_01h455vb4pex5vsknk084sn02q"


def test_the_field_takes_a_name_or_a_uuid_and_nothing_else() -> None:
    field = TypeIDField("cust")
    name = TypeID("cust_01h455vb4pex5vsknk084sn02q")

    assert [field.to_python(value) for value in (name, str(name), name.uuid, None)] == [name, name, name, None]
    with pytest.raises(ValidationError, match="is not an id of the kind cust_…"):
        field.to_python("sub_01h455vb4pex5vsknk084sn02q")


@pytest.mark.django_db
def test_a_row_is_found_by_its_name_and_kept_as_a_uuid() -> None:
    customer = make_customer()

    assert isinstance(customer.id, TypeID)
    assert type(Customer.objects.get(pk=str(customer.id)).id) is TypeID
    assert list(Customer.objects.filter(pk__in=[customer.id])) == [customer]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, pg_typeof(id)::text FROM customers_customer WHERE name = %s", [customer.name])
        assert cursor.fetchone() == (customer.id.uuid, "uuid")


@pytest.mark.django_db
@pytest.mark.parametrize("pk", ["cust_01h455vb4pex5vsknk084sn02q", "sub_01h455vb4pex5vsknk084sn02q", "nonsense", ""])
def test_what_names_no_row_is_the_nouns_own_refusal(pk: str) -> None:
    with pytest.raises(NotFound) as refusal:
        Customer.objects.find(pk)

    assert (refusal.value.noun, refusal.value.message) == ("customer", f"Customer {pk} not found")


def test_the_unclassified_customer_is_the_uuid_of_zeros() -> None:
    assert UNCLASSIFIED_ID.uuid == uuid.UUID(int=0)
