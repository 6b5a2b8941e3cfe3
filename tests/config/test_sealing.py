"""Secrets that have to be given back in clear: sealed with keys of their own, bound to their row, rewrapped."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Gateway
from config.kernel.sealing import (
    Unsealable,
    fingerprint,
    is_sealed_with_newest,
    reseal,
    seal,
    sealed_columns,
    unseal,
)
from tests.factories import make_gateway

SECRET = {"token": "s3cret-of-the-gateway"}


@pytest.fixture(autouse=True)
def keys(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["first key"]


def test_what_is_sealed_is_given_back_to_its_row_alone() -> None:
    sealed = seal(SECRET, bound_to="gate_1")

    assert unseal(sealed, bound_to="gate_1") == SECRET
    assert b"s3cret" not in sealed
    with pytest.raises(Unsealable, match="belongs to another row"):
        unseal(sealed, bound_to="gate_2")


def test_the_same_is_never_sealed_the_same() -> None:
    assert seal(SECRET, bound_to="gate_1") != seal(SECRET, bound_to="gate_1")


@pytest.mark.parametrize("changed", [b"", b"gAAAAA", b"\0\1"])
def test_what_was_changed_is_not_opened(changed: bytes) -> None:
    with pytest.raises(Unsealable, match="No key of ENCRYPTION_KEYS"):
        unseal(seal(SECRET, bound_to="gate_1")[:-4] + changed, bound_to="gate_1")


def test_an_older_key_still_opens_and_a_lost_one_does_not(settings: Any) -> None:
    sealed = seal(SECRET, bound_to="gate_1")

    settings.ENCRYPTION_KEYS = ["second key", "first key"]
    assert unseal(sealed, bound_to="gate_1") == SECRET
    settings.ENCRYPTION_KEYS = ["second key"]
    with pytest.raises(Unsealable):
        unseal(sealed, bound_to="gate_1")


def test_what_is_rewrapped_needs_the_older_key_no_more(settings: Any) -> None:
    sealed = seal(SECRET, bound_to="gate_1")
    settings.ENCRYPTION_KEYS = ["second key", "first key"]
    assert not is_sealed_with_newest(sealed)

    rewrapped = reseal(sealed)

    settings.ENCRYPTION_KEYS = ["second key"]
    assert is_sealed_with_newest(rewrapped)
    assert unseal(rewrapped, bound_to="gate_1") == SECRET


def test_a_fingerprint_tells_secrets_apart_and_nothing_of_them(settings: Any) -> None:
    first = fingerprint(SECRET)

    assert (first, len(first)) == (fingerprint(dict(SECRET)), 12)
    assert first != fingerprint({"token": "another"})
    settings.SECRET_PEPPERS = ["another pepper"]
    assert first != fingerprint(SECRET)


def test_these_columns_hold_what_is_sealed_and_no_others() -> None:
    assert {(model._meta.label, column) for model, column in sealed_columns()} == {
        ("catalog.Gateway", "sealed_credentials"),
        ("credentials.GatewayKey", "sealed"),
        ("credentials.GatewayKey", "made"),
    }


def rewrapped() -> tuple[str, str]:
    """Return what the command prints, and whom it complains of."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("rewrap_secrets", stdout=out, stderr=err)
    except CommandError as failure:
        return out.getvalue(), f"{err.getvalue()}{failure}"
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_the_command_takes_a_new_key_into_use_and_leaves_nothing_in_history(settings: Any) -> None:
    first, second = make_gateway(), make_gateway()
    settings.ENCRYPTION_KEYS = ["second key", "first key"]
    third = make_gateway()
    rows = Gateway.history.count()

    printed, complaint = rewrapped()

    assert (complaint, "catalog.Gateway.sealed_credentials: 2 rewrapped\n" in printed) == ("", True)
    settings.ENCRYPTION_KEYS = ["second key"]
    for gateway in (first, second, third):
        gateway.refresh_from_db()
        assert unseal(bytes(gateway.sealed_credentials), bound_to=gateway.id)
    assert Gateway.history.count() == rows
    assert "catalog.Gateway.sealed_credentials: 0 rewrapped\n" in rewrapped()[0]


@pytest.mark.django_db
def test_the_command_names_what_it_cannot_open_and_does_the_rest(settings: Any) -> None:
    lost = make_gateway()
    settings.ENCRYPTION_KEYS = ["second key"]
    kept = make_gateway()
    settings.ENCRYPTION_KEYS = ["third key", "second key"]

    printed, complaint = rewrapped()

    assert "catalog.Gateway.sealed_credentials: 1 rewrapped\n" in printed
    assert f"catalog.Gateway {lost.id}: no key of ENCRYPTION_KEYS opens its sealed_credentials\n" in complaint
    assert complaint.endswith("1 secret(s) cannot be opened: give the keys they were sealed with")
    kept.refresh_from_db()
    assert is_sealed_with_newest(bytes(kept.sealed_credentials))
