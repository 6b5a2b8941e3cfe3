"""Operator keys: what integrators call the API with."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from config.kernel.errors import NotFound
from config.kernel.ids import TypeID
from credentials.errors import ExpiresInThePast, OperatorKeyRevokedAlready, UnknownScope
from credentials.models import OperatorKey
from credentials.operations.operator_keys import create_operator_key, revoke_operator_key
from tests.factories import NOW, make_operator_key

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)


def test_a_key_has_each_scope_it_was_given_once() -> None:
    key, secret = make_operator_key("events:write", "customers:read", "events:write")

    assert key.scopes == ["customers:read", "events:write"]
    assert secret.startswith("mk_live_")
    assert (key.prefix, key.last_four) == ("mk_live_", secret[-4:])


def test_a_scope_there_is_none_of_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownScope) as refusal:
        create_operator_key(name="K", scopes=["customers:read", "customers:destroy"], now=NOW)

    assert refusal.value.details["scope"] == "customers:destroy"
    assert "customers:write" in refusal.value.message
    assert not OperatorKey.objects.exists()


def test_an_expiry_is_in_the_future() -> None:
    with pytest.raises(ExpiresInThePast):
        create_operator_key(name="K", scopes=["*"], expires_at=NOW, now=NOW)

    key = create_operator_key(name="K", scopes=["*"], expires_at=NOW + INSTANT, now=NOW)
    assert [key.status(NOW), key.status(NOW + INSTANT)] == ["active", "expired"]
    one = OperatorKey.objects.filter(pk=key.pk)
    assert [one.usable(NOW).exists(), one.usable(NOW + INSTANT).exists()] == [True, False]


def test_a_key_is_revoked_once() -> None:
    key, _ = make_operator_key()

    assert revoke_operator_key(key.id, now=NOW).status(NOW) == "revoked"
    assert not OperatorKey.objects.usable(NOW).exists()
    with pytest.raises(OperatorKeyRevokedAlready):
        revoke_operator_key(key.id, now=NOW)
    with pytest.raises(NotFound):
        revoke_operator_key(TypeID.new("opk"), now=NOW)


def test_no_two_keys_have_the_same_digest() -> None:
    first, second = make_operator_key()[0], make_operator_key()[0]

    with pytest.raises(IntegrityError, match="digest"), transaction.atomic():
        OperatorKey.objects.filter(pk=second.pk).update(digest=first.digest)


def test_the_command_prints_the_secret_of_the_key_it_made() -> None:
    out = StringIO()

    call_command("create_operator_key", "erp", "--scope", "billing:read", "--scope", "customers:read", stdout=out)

    key = OperatorKey.objects.get(name="erp")
    described, secret = out.getvalue().split("\n")[:2]
    assert described == f"{key.id} billing:read, customers:read"
    assert (secret[: len(key.prefix)], secret[-4:]) == (key.prefix, key.last_four)
    assert key.history.get().history_actor == "command create_operator_key"
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("create_operator_key", "erp", "--scope", "everything")
