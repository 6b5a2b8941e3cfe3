"""What the clock does to keys at gateways: graces end, secrets are forgotten, what was missed is caught up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from catalog.models import GatewayMapping
from credentials.models import Credential, GatewayKey, GatewayKeyStatus, WantedKey
from credentials.operations.gateway_keys import SECRET_GONE, catch_up_with, follow_access, want, with_access

#: How many rows one transaction takes.
BATCH = 500


def sweep_gateway_keys(*, now: datetime) -> int:
    """Do all that the clock has brought and return how many keys that concerned; running it twice is harmless."""
    steps: tuple[Callable[[datetime], int], ...] = (_end_graces, _follow_clock, _forget_secrets, _catch_up)
    return sum(_all_of(step, now) for step in steps)


def _all_of(step: Callable[[datetime], int], now: datetime) -> int:
    """Repeat a step, a transaction each, until it finds less than a batch."""
    total = 0
    while True:
        with transaction.atomic():
            done = step(now)
        total += done
        if done < BATCH:
            return total


def _end_graces(now: datetime) -> int:
    """Want the secrets before a rotation gone whose grace has ended."""
    over = GatewayKey.objects.filter(remove_at__lte=now).wanted().select_related("mapping")
    keys = list(over.order_by("id").select_for_update(of=("self",))[:BATCH])
    for key in keys:
        want(key, WantedKey.ABSENT, now=now)
    return len(keys)


def _follow_clock(now: datetime) -> int:
    """Want what credentials, subscriptions and suspensions have come to by the clock alone."""
    wanted = GatewayKey.objects.filter(credential=OuterRef("pk")).wanted()
    ended = Q(expires_at__lte=now) | Q(revoked_at__isnull=False)
    running = (
        Q(subscription__starts_at__lte=now)
        & (Q(customer__suspended_at__isnull=True) | Q(customer__suspended_until__lte=now))
        & (Q(agent__isnull=True) | Q(agent__suspended_at__isnull=True) | Q(agent__suspended_until__lte=now))
    )
    # Both ways: what is read here may be changed in the same moment by whoever suspends.
    late = with_access(Credential.objects.all()).filter(
        (ended & Exists(wanted))
        | (~ended & running & Exists(wanted.filter(wanted=WantedKey.SUSPENDED)))
        | (~ended & ~running & Exists(wanted.filter(wanted=WantedKey.ACTIVE)))
    )
    credentials = list(late.order_by("id")[:BATCH])
    follow_access(credentials, now=now)
    return len(credentials)


def _forget_secrets(now: datetime) -> int:
    """Wipe secrets that no gateway took in time; what was never placed is lost with them."""
    kept = GatewayKey.objects.filter(sealed__isnull=False, sealed_until__lte=now).order_by("id")
    keys = list(kept.select_for_update(of=("self",))[:BATCH])
    for key in keys:
        key.sealed = key.sealed_until = None
        changed = ["sealed", "sealed_until"]
        if key.status in (GatewayKeyStatus.PENDING, GatewayKeyStatus.ERROR):
            key.status, key.last_error, key.last_error_code = GatewayKeyStatus.LOST, SECRET_GONE, "key_gone"
            key.is_due = False
            changed += ["status", "last_error", "last_error_code", "is_due"]
        key.save_changes(*changed, now=now)
    return len(keys)


def _catch_up(now: datetime) -> int:
    """Write down the keys of credentials whose product was mapped later; those that we made have to be rotated."""
    same_product = GatewayMapping.objects.filter(product=OuterRef("subscription__plan__product"))
    known = GatewayKey.objects.filter(credential=OuterRef(OuterRef("pk")), mapping=OuterRef("pk")).wanted()
    missing = with_access(Credential.objects.usable(now).live()).filter(Exists(same_product.filter(~Exists(known))))
    missing = missing.filter(subscription__terminated_at__isnull=True, subscription__canceled_at__isnull=True)
    credentials = list(missing.order_by("id").select_for_update(of=("self",), skip_locked=True)[:BATCH])
    return sum(catch_up_with(credential, now=now) for credential in credentials)
