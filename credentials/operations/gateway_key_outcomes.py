"""What comes of the delivery of a key: where it is at the gateway now, or why it is not as it should be."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from catalog.events import GatewayFailed
from catalog.gateways import GatewayFailure
from catalog.gateways.failures import KeyGone, NotAllowed, Throttled, Unavailable, Unsupported
from catalog.models import Gateway
from catalog.operations.gateways import note_attention
from config.kernel.events import publish
from config.kernel.sealing import seal
from credentials.models import GatewayKey, GatewayKeyStatus, WantedKey
from credentials.models.gateway_key import REACHED

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
#: For how long what fails is tried again; a secret is kept for less.
PATIENCE = timedelta(days=3)
#: For how long it may fail in passing to take access away before operators are told.
QUIET_FOR = timedelta(minutes=1)
MAX_ERROR = 500

STILL_LETS_IN = "A key that must let nobody in is still at the gateway"
NOT_SENT = "A key cannot be sent"
#: What of it history has; all else is notes of workers.
TRACKED = {"status", "handle", "last_error", "last_error_code", "placed_at"}


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What a gateway has now: where the key is, and what the gateway made itself."""

    handle: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict, repr=False)


@transaction.atomic
def end_delivery(claimed: GatewayKey, delivered: Delivered, now: datetime) -> None:
    """Write down where the key is; a newer wish stays due, but what took effect is known all the same."""
    key = _locked(claimed)
    if key is None:
        return
    changes: dict[str, Any] = {
        "status": REACHED[WantedKey(claimed.wanted)],
        "handle": dict(delivered.handle),
        "last_error": "",
        "last_error_code": "",
        "sealed": None,
        "sealed_until": None,
        "claimed_until": None,
        "next_try_at": None,
        "is_due": key.job_number != claimed.job_number,
    }
    if claimed.wanted != WantedKey.ABSENT and key.placed_at is None:
        changes["placed_at"] = now
    if delivered.made and key.wanted != WantedKey.ABSENT:
        changes["made"] = seal(delivered.made, bound_to=key.id)
    _settle(key, changes, now)
    _call_off(claimed, now)


@transaction.atomic
def fail_delivery(claimed: GatewayKey, failure: GatewayFailure, now: datetime) -> None:
    """Write down why the key is not as wanted, and when it is tried again, unless a newer wish overtook it."""
    key = _locked(claimed)
    if key is None or key.job_number != claimed.job_number:
        return
    is_lost = isinstance(failure, KeyGone)
    again = _is_tried_again(claimed, failure, now)
    pause = _pause(claimed, failure)
    changes = {
        "status": GatewayKeyStatus.LOST if is_lost else GatewayKeyStatus.ERROR,
        "last_error": str(failure)[:MAX_ERROR],
        "last_error_code": failure.code,
        "is_due": again,
        "next_try_at": now + pause if again else None,
        "claimed_until": None,
    }
    if is_lost:
        changes |= {"handle": {}, "sealed": None, "sealed_until": None}
    if isinstance(failure, NotAllowed | Throttled | Unavailable):
        _let_rest(claimed, now + pause, now)
    _settle(key, changes, now)
    if not is_lost:
        _alert(claimed, failure, now)


def _locked(claimed: GatewayKey) -> GatewayKey | None:
    """Lock the gateway and the key, in this order as everybody does; None where the key has been forgotten."""
    Gateway.objects.lock(claimed.mapping.gateway_id)
    return GatewayKey.objects.select_for_update(of=("self",)).filter(pk=claimed.pk).first()


def _is_tried_again(claimed: GatewayKey, failure: GatewayFailure, now: datetime) -> bool:
    """Tell whether it may succeed later; access is taken away whatever the failure says."""
    is_hopeless = isinstance(failure, KeyGone) or (
        isinstance(failure, Unsupported) and claimed.wanted == WantedKey.ACTIVE
    )
    return not is_hopeless and now < claimed.requested_at + PATIENCE


def _pause(claimed: GatewayKey, failure: GatewayFailure) -> timedelta:
    """Return how long to wait: as the vendor asks, else longer each time; long at once where somebody has to act."""
    if failure.retry_after_s is not None:
        return min(max(timedelta(seconds=failure.retry_after_s), timedelta(seconds=1)), LONGEST_PAUSE)
    doublings = min(claimed.attempts - 1, 10) if failure.passes or claimed.wanted != WantedKey.ACTIVE else 10
    longest = min(FIRST_PAUSE * int(2**doublings), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing


def _let_rest(claimed: GatewayKey, until: datetime, now: datetime) -> None:
    """Let the other keys of the gateway wait too, which need not find out one by one; new ones try for themselves."""
    waiting = GatewayKey.objects.due(now).filter(mapping__gateway_id=claimed.mapping.gateway_id)
    # Whoever holds one of them asks for something new, which is to be tried at once.
    others = waiting.exclude(pk=claimed.pk).order_by("id").select_for_update(of=("self",), skip_locked=True)
    GatewayKey.objects.filter(pk__in=list(others.values_list("pk", flat=True))).update(next_try_at=until)


def _alert(claimed: GatewayKey, failure: GatewayFailure, now: datetime) -> None:
    """Tell operators of what they have to see to: a key that lets in and must not, or credentials that do not."""
    is_known = not failure.passes or now >= claimed.requested_at + QUIET_FOR
    lets_in = claimed.wanted != WantedKey.ACTIVE and is_known
    if not lets_in and not isinstance(failure, NotAllowed):
        return
    mapping = claimed.mapping
    was_told = bool(Gateway.objects.get(pk=mapping.gateway_id).attention)
    note_attention(mapping.gateway_id, f"{STILL_LETS_IN if lets_in else NOT_SENT}: {failure}", now=now)
    if not was_told:
        publish(
            GatewayFailed(
                mapping_id=mapping.id,
                product_id=mapping.product_id,
                gateway_id=mapping.gateway_id,
                code=failure.code,
                reason=str(failure),
            )
        )


def _call_off(claimed: GatewayKey, now: datetime) -> None:
    """Take the alert back once no key is left that lets in and must not."""
    gateway = Gateway.objects.get(pk=claimed.mapping.gateway_id)
    failing = GatewayKey.objects.filter(mapping__gateway=gateway, status=GatewayKeyStatus.ERROR)
    if gateway.attention.startswith((STILL_LETS_IN, NOT_SENT)) and not failing.exclude(wanted="active").exists():
        note_attention(gateway.id, "", now=now)


def _settle(key: GatewayKey, changes: dict[str, Any], now: datetime) -> None:
    """Write what changed of a locked key; history has those of the changes that are more than notes."""
    news = key.assign(changes)
    if TRACKED & set(news):
        key.save_changes(*news, now=now)
    elif news:
        GatewayKey.objects.filter(pk=key.pk).update(**{name: changes[name] for name in news})
