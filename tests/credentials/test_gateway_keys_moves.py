"""Keys at gateways as plans change, products are mapped and unlinked, gateways restored and keys asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from catalog.errors import MappingDeletionNeedsConfirmation
from catalog.events import GatewayRestored
from catalog.models import GatewayMapping
from catalog.operations.gateway_mappings import delete_gateway_mapping
from catalog.operations.gateways import update_gateway
from config.kernel.events import publish
from config.kernel.guards import Verdict, deletion_report
from config.kernel.sealing import seal
from config.kernel.secrets import issued_secrets
from credentials.errors import GatewayKeyNotRetried, GatewayKeyUnreadable, NothingToShow
from credentials.models import GatewayKey
from credentials.operations.credentials import issue_subscription_credential, revoke_credential
from credentials.operations.gateway_key_requests import retry_gateway_key, reveal_gateway_key
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from customers.operations.plan_changes import change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.suspension import suspend_customer
from tests.factories import NOW, make_gateway_mapping, make_plan, make_product
from tests.gateways.keys import key_of, keys_of, rotate, statuses_of, subscribe

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def mapped(product_type: str = "STANDARD_API") -> GatewayMapping:
    """Return a mapping of a product with a plan to Azure, which takes our keys and no clients."""
    product = make_product(product_type=product_type)
    make_plan(product=product)
    return make_gateway_mapping(product=product)


def placed(key: GatewayKey, **fields: Any) -> GatewayKey:
    """Let the key stand as a worker leaves it that has placed it."""
    done = {"status": "PLACED", "is_due": False, "sealed": None, "sealed_until": None, "placed_at": NOW, "attempts": 1}
    GatewayKey.objects.filter(pk=key.pk).update(**{**done, **fields})
    return key


def test_keys_move_to_another_plan_of_the_product_under_the_same_name() -> None:
    mapping = mapped()
    credential, _ = subscribe(mapping)
    first = credential.subscription
    assert first is not None
    placed(key_of(credential))

    change_plan(first.id, plan=make_plan(product=mapping.product).id, now=NOW)

    key = key_of(credential)
    assert (key.wanted, key.is_due, key.consumer) == ("active", True, first)
    credential.refresh_from_db()
    assert credential.subscription is not None
    # What is issued for the subscription that goes on stands beside it, so that one subscription is one consumer.
    beside = issue_subscription_credential(credential.subscription.id, now=NOW)
    assert key_of(beside).consumer == first


def test_keys_stay_until_a_planned_change_is_written_down() -> None:
    mapping = mapped()
    credential, _ = subscribe(mapping)
    placed(key_of(credential))
    assert credential.subscription is not None
    change_plan(credential.subscription.id, plan=make_plan(product=mapping.product, amount=1).id, now=NOW)
    credential.subscription.refresh_from_db()
    end = credential.subscription.ends_at
    assert end is not None

    # The clock has changed the plan, no worker has written that down, and somebody is suspended in between.
    suspend_customer(credential.customer_id, now=end)
    assert key_of(credential).wanted == "suspended"
    end_due_subscriptions(now=end)
    assert key_of(credential).wanted == "suspended"


def test_a_change_to_another_product_takes_the_keys_away_and_has_them_rotated() -> None:
    one, other = mapped(), mapped()
    credential, _ = subscribe(one)
    placed(key_of(credential))
    assert credential.subscription is not None

    there = change_plan(credential.subscription.id, plan=other.product.rate_plans.get().id, now=NOW)
    old, new = sorted(keys_of(credential), key=lambda key: key.mapping_id != one.pk)
    assert (old.wanted, old.is_due) == ("absent", True)
    assert (new.mapping, new.status, new.consumer) == (other, "LOST", there)

    placed(new)
    placed(old, status="REMOVED")
    back = change_plan(there.id, plan=one.product.rate_plans.get().id, now=NOW + HOUR)
    rows = [(key.mapping_id, key.wanted, key.status) for key in keys_of(credential)]
    assert rows == [(one.pk, "absent", "REMOVED"), (other.pk, "absent", "PLACED"), (one.pk, "active", "LOST")]
    assert keys_of(credential)[-1].consumer == back


def test_keys_that_were_there_before_their_product_was_mapped_have_to_be_rotated() -> None:
    plan = make_plan()
    credential, _ = subscribe(GatewayMapping(product=plan.product))
    ended, _ = subscribe(GatewayMapping(product=plan.product))
    revoke_credential(ended.id, now=NOW)
    make_gateway_mapping(product=plan.product)

    assert sweep_gateway_keys(now=NOW) == 1
    assert sweep_gateway_keys(now=NOW) == 0

    assert statuses_of(credential) == [("active", "LOST")]
    assert "rotate" in key_of(credential).last_error
    assert keys_of(ended) == []
    rotate(credential, grace=HOUR)
    assert statuses_of(credential) == [("active", "LOST"), ("active", "PENDING")]


def test_unlinking_a_mapping_warns_of_keys_that_stay_and_forgets_them() -> None:
    mapping = mapped()
    assert deletion_report(mapping).verdict is Verdict.ALLOW
    credential, _ = subscribe(mapping)
    [finding] = deletion_report(mapping).findings
    assert (finding.code, finding.verdict, finding.count) == ("gateway_keys", Verdict.WARN, 1)

    with pytest.raises(MappingDeletionNeedsConfirmation):
        delete_gateway_mapping(mapping.id)
    assert keys_of(credential)
    delete_gateway_mapping(mapping.id, confirm=True)
    assert keys_of(credential) == []
    assert GatewayKey.history.latest("history_id").history_type == "-"


def test_after_a_restore_the_keys_of_the_mapping_are_looked_at_and_no_others() -> None:
    mapping = mapped()
    there, lost, gone, elsewhere = (subscribe(one)[0] for one in (mapping, mapping, mapping, mapped()))
    for one in (there, elsewhere):
        placed(key_of(one))
    placed(key_of(lost), status="LOST", last_error="Gone")
    placed(key_of(gone), status="REMOVED", wanted="absent")
    rows = GatewayKey.history.count()

    with transaction.atomic():
        about = {"mapping_id": mapping.id, "product_id": mapping.product_id, "gateway_id": mapping.gateway_id}
        publish(GatewayRestored(**about, at=NOW + HOUR))

    due = {one: key_of(one).is_due for one in (there, lost, gone, elsewhere)}
    assert due == {there: True, lost: True, gone: False, elsewhere: False}
    assert key_of(there).requested_at == NOW + HOUR
    assert GatewayKey.history.count() == rows


def test_what_failed_is_tried_again_when_the_gateway_is_connected_anew() -> None:
    mapping = mapped()
    failed, settled = (subscribe(mapping)[0] for _ in range(2))
    placed(key_of(failed), status="ERROR", last_error="No", next_try_at=NOW + HOUR)
    placed(key_of(settled))

    update_gateway(mapping.gateway_id, name="Renamed", now=NOW)
    assert not key_of(failed).is_due
    update_gateway(mapping.gateway_id, credentials={"client_id": "c", "client_secret": "new"}, now=NOW)

    assert (key_of(failed).is_due, key_of(failed).next_try_at, key_of(settled).is_due) == (True, None, False)


def test_a_key_that_is_not_as_it_should_be_is_sent_again() -> None:
    credential, _ = subscribe(mapped())
    key = placed(key_of(credential), status="ERROR", last_error="No", attempts=9, next_try_at=NOW + HOUR)

    retried = retry_gateway_key(key.id, now=NOW)
    assert (retried.is_due, retried.attempts, retried.next_try_at) == (True, 0, None)
    for status in ("LOST", "PENDING"):
        placed(key, status=status)
        assert retry_gateway_key(key.id, now=NOW).is_due
    placed(key)
    with pytest.raises(GatewayKeyNotRetried) as refusal:
        retry_gateway_key(key.id, now=NOW)
    assert refusal.value.details == {"status": "PLACED"}
    placed(key, wanted="absent")
    assert retry_gateway_key(key.id, now=NOW).is_due


def test_what_a_gateway_made_is_shown_once() -> None:
    credential, _ = subscribe(mapped())
    key = key_of(credential)
    GatewayKey.objects.update(made=seal({"client_id": "mule-1", "client_secret": "theirs"}, bound_to=key.id))

    with issued_secrets() as issued:
        reveal_gateway_key(key.id, now=NOW)

    assert issued[0].shown_once == {"client_id": "mule-1", "client_secret": "theirs"}
    assert issued[0].secrets == {"client_secret": "theirs"}
    assert key_of(credential).made is None
    with pytest.raises(NothingToShow):
        reveal_gateway_key(key.id, now=NOW)


def test_what_a_gateway_made_cannot_be_shown_without_the_key_that_sealed_it(settings: Any) -> None:
    key = key_of(subscribe(mapped())[0])
    GatewayKey.objects.update(made=seal({"api_key": "theirs"}, bound_to=key.id))

    sealing = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["another"]
    with pytest.raises(GatewayKeyUnreadable):
        reveal_gateway_key(key.id, now=NOW)
    settings.ENCRYPTION_KEYS = sealing
    with issued_secrets() as issued:
        reveal_gateway_key(key.id, now=NOW)
    assert issued[0].shown_once == {"key": "theirs"}


@pytest.mark.parametrize(
    "change",
    [
        {"wanted": "there"},
        {"status": "SOMEWHERE"},
        {"sealed_until": None},
        {"status": "REMOVED"},
        {"status": "LOST", "last_error": ""},
        {"generation": 2},
    ],
)
def test_the_database_keeps_a_key_in_one_piece(change: dict[str, Any]) -> None:
    credential, _ = subscribe(mapped())
    rotate(credential, grace=HOUR)
    first, _ = keys_of(credential)

    with pytest.raises(IntegrityError), transaction.atomic():
        GatewayKey.objects.filter(pk=first.pk).update(**change)
    GatewayKey.objects.filter(pk=first.pk).update(generation=3, status="LOST", last_error="Gone")
