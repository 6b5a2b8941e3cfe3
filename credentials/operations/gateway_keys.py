"""Keys at gateways: ask for them to be placed, suspended, removed; workers do it (``gateway_deliveries``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Max, QuerySet

from catalog.gateways import vendor_of
from catalog.models import Gateway, GatewayMapping
from config.kernel.events import publish
from config.kernel.ids import TypeID
from config.kernel.sealing import seal
from credentials.events import GatewayKeysWaiting
from credentials.models import Credential, GatewayKey, GatewayKeyStatus, WantedKey
from customers.models import SubscriptionStatus
from customers.queries.successors import running_in_line

#: How long a secret is kept for a gateway that cannot be reached; after that the credential has to be rotated.
SEALED_FOR = timedelta(hours=24)
NO_KEYS_HERE = "This gateway cannot take keys that were made elsewhere"
NO_CLIENTS_HERE = "This gateway cannot take the client ids and secrets that the product issues"
SECRET_GONE = "The gateway has no key of this credential, and its secret is gone: rotate the credential"

#: What a worker is told of a key that is to be looked at afresh.
AFRESH: Mapping[str, Any] = {"is_due": True, "attempts": 0, "next_try_at": None, "claimed_until": None}


def send_secret(credential: Credential, clear: str, *, now: datetime) -> None:
    """
    Put a new secret of a locked credential into the outbox of every gateway its product is mapped to.

    Part of the operations that draw one. The secret before it goes when its grace ends, those before that at once.
    """
    if credential.subscription is None:
        return
    mappings = _mappings_of(credential.subscription.plan.product_id)
    kept = GatewayKey.objects.filter(credential=credential).wanted().order_by("id")
    before = list(kept.select_for_update(of=("self",)))
    generation = _next_generation(credential)
    for mapping in mappings:
        insert_key(credential, mapping, generation=generation, clear=clear, now=now)
    for old in before:
        _end_with_grace(old, credential.previous_until, is_previous=old.remove_at is None, now=now)


def follow_access(credentials: Iterable[Credential], *, now: datetime) -> None:
    """
    Want at the gateways what the state of each credential is now: active, suspended or absent.

    Part of the operations that change it, and of those that let the clock have its way.
    """
    loaded = {one.pk: one for one in credentials}
    keys = GatewayKey.objects.filter(credential__in=loaded).wanted().select_related("mapping")
    for key in keys.order_by("id").select_for_update(of=("self",)):
        want(key, wanted_of(loaded[key.credential_id], now), now=now)


def want(key: GatewayKey, wanted: WantedKey, *, now: datetime) -> None:
    """Note how a locked key should be; a worker sees to it where that is news."""
    if key.wanted == wanted:
        return
    was_never_sent = key.is_never_sent
    key.wanted = wanted
    news = ["wanted"]
    if wanted == WantedKey.ABSENT:
        key.sealed = key.sealed_until = key.made = key.remove_at = None
        news += ["sealed", "sealed_until", "made", "remove_at"]
        if was_never_sent:
            key.status, key.last_error, key.last_error_code, key.is_due = GatewayKeyStatus.REMOVED, "", "", False
            key.save_changes(*news, "status", "last_error", "last_error_code", "is_due", now=now)
            return
    if key.status == GatewayKeyStatus.UNSUPPORTED:
        key.save_changes(*news, now=now)
        return
    wake(key, now)
    key.save_changes(*news, *AFRESH, "job_number", "requested_at", now=now)


def with_access(credentials: QuerySet[Credential]) -> QuerySet[Credential]:
    """Keep the credentials of subscriptions, and read all that decides on their access with them."""
    return credentials.filter(subscription__isnull=False).select_related("customer", "agent", "subscription__plan")


def wanted_of(credential: Credential, now: datetime) -> WantedKey:
    """Return how the keys of ``credential`` should be, as verification would judge its secret."""
    if credential.status(now) != "active" or credential.subscription is None:
        return WantedKey.ABSENT
    status = running_in_line(credential.subscription, now).status(now)
    if status in (SubscriptionStatus.TERMINATED, SubscriptionStatus.CANCELED):
        return WantedKey.ABSENT
    is_off = credential.customer.is_suspended(now) or (credential.agent and credential.agent.is_suspended(now))
    return WantedKey.SUSPENDED if is_off or status == SubscriptionStatus.PENDING else WantedKey.ACTIVE


def look_again(mapping_id: TypeID, *, now: datetime) -> None:
    """Have every key of a mapping looked at again, those too that were lost; nothing of them changes by that."""
    _wake_all(GatewayKey.objects.filter(mapping_id=mapping_id).there(), now)


def try_again_at(gateway_id: TypeID, *, now: datetime) -> None:
    """Have the keys tried again that could not be delivered to a gateway, because it may be reached now."""
    failed = GatewayKey.objects.filter(mapping__gateway_id=gateway_id, status=GatewayKeyStatus.ERROR)
    waiting = GatewayKey.objects.filter(mapping__gateway_id=gateway_id, is_due=True)
    _wake_all(failed | waiting, now)


def follow_plan(credentials: Iterable[Credential], *, now: datetime) -> None:
    """
    Have the keys of locked credentials, which a change of plan moved to one subscription, moved at gateways too.

    Keys of a product that the new plan is not of have to go; where the new product is mapped they have to be rotated,
    because no gateway tells a secret.
    """
    for credential in credentials:
        assert credential.subscription is not None
        product = credential.subscription.plan.product_id
        catch_up_with(credential, now=now)
        keys = GatewayKey.objects.filter(credential=credential).wanted().select_related("mapping").order_by("id")
        for key in keys.exclude(mapping__product_id=product).select_for_update(of=("self",)):
            want(key, WantedKey.ABSENT, now=now)
        _wake_all(GatewayKey.objects.filter(credential=credential, mapping__product_id=product).wanted().there(), now)


def catch_up_with(credential: Credential, *, now: datetime) -> int:
    """Write a credential down where its product is mapped and it is not known, and return at how many gateways."""
    assert credential.subscription is not None
    if wanted_of(credential, now) == WantedKey.ABSENT:
        return 0
    known = set(GatewayKey.objects.filter(credential=credential).wanted().values_list("mapping_id", flat=True))
    missing = [one for one in _mappings_of(credential.subscription.plan.product_id) if one.pk not in known]
    generation = _next_generation(credential)
    for mapping in missing:
        insert_key(credential, mapping, generation=generation, clear=None, now=now)
    return len(missing)


def forget_keys(mapping_id: TypeID) -> None:
    """Forget the keys of a mapping that is about to be deleted; what is at the gateway stays there."""
    for key in GatewayKey.objects.filter(mapping_id=mapping_id).order_by("id").select_for_update(of=("self",)):
        key.delete()


def insert_key(
    credential: Credential, mapping: GatewayMapping, *, generation: int, clear: str | None, now: datetime
) -> GatewayKey:
    """Write a key of a credential down for a mapping, with its secret where we have it and the gateway takes it."""
    can = vendor_of(mapping.gateway.vendor).capabilities(mapping.gateway.settings)
    is_client = credential.client_id is not None
    takes = can.takes_our_clients if is_client else can.takes_our_keys
    key = GatewayKey(
        credential=credential,
        mapping=mapping,
        consumer_id=_consumer(credential, mapping),
        generation=generation,
        wanted=wanted_of(credential, now),
        requested_at=now,
        created_at=now,
        updated_at=now,
    )
    if not takes and not can.makes_client_credentials:
        why = NO_CLIENTS_HERE if is_client else NO_KEYS_HERE
        key.status, key.last_error, key.last_error_code, key.is_due = "UNSUPPORTED", why, "unsupported", False
    elif takes and clear is None:
        key.status, key.last_error, key.last_error_code, key.is_due = "LOST", SECRET_GONE, "key_gone", False
    elif takes:
        key.sealed, key.sealed_until = seal({"secret": clear}, bound_to=key.id), now + SEALED_FOR
    key.save(force_insert=True)
    if key.is_due:
        publish(GatewayKeysWaiting(gateway_id=mapping.gateway_id))
    return key


def wake(key: GatewayKey, now: datetime) -> None:
    """Set on a locked key that a worker has to look at it afresh; the caller saves it."""
    for name, value in AFRESH.items():
        setattr(key, name, value)
    key.job_number += 1
    key.requested_at = now
    publish(GatewayKeysWaiting(gateway_id=key.mapping.gateway_id))


def _mappings_of(product_id: TypeID) -> list[GatewayMapping]:
    """Return where a product is mapped, and keep each from being unlinked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM catalog_gatewaymapping WHERE product_id = %s FOR KEY SHARE", [product_id.uuid])
    found = GatewayMapping.objects.filter(product_id=product_id)
    return list(found.select_related("gateway", "product").order_by("id"))


def _next_generation(credential: Credential) -> int:
    before = GatewayKey.objects.filter(credential=credential).aggregate(last=Max("generation"))["last"]
    return (before or 0) + 1


def _end_with_grace(key: GatewayKey, until: datetime | None, *, is_previous: bool, now: datetime) -> None:
    """Let the key of a secret that was replaced go at ``until``, or at once where its grace is over."""
    if not is_previous or until is None or until <= now or key.status == GatewayKeyStatus.UNSUPPORTED:
        want(key, WantedKey.ABSENT, now=now)
        return
    key.remove_at = until
    key.save_changes("remove_at", now=now)


def _consumer(credential: Credential, mapping: GatewayMapping) -> str:
    """
    Return the subscription under whose name the key goes to the gateway: that of the keys which it stands beside.

    After a change of plan that is the first one, because keys cannot be moved to another name without their secrets.
    """
    beside = GatewayKey.objects.filter(mapping=mapping, credential__subscription=credential.subscription_id).wanted()
    first = beside.order_by("created_at", "id").first()
    consumer = credential.subscription_id if first is None else first.consumer_id
    assert consumer is not None
    return consumer


def _wake_all(keys: QuerySet[GatewayKey], now: datetime) -> None:
    """Have many keys looked at afresh; a note for workers, which makes no history."""
    # In the order in which everybody locks keys.
    locked = list(keys.order_by("id").select_for_update(of=("self",)).values_list("pk", flat=True))
    woken = GatewayKey.objects.filter(pk__in=locked)
    woken.update(**AFRESH, job_number=F("job_number") + 1, requested_at=now)
    for gateway in Gateway.objects.filter(mappings__keys__in=locked).values_list("pk", flat=True).distinct():
        publish(GatewayKeysWaiting(gateway_id=gateway))
