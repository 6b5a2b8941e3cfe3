"""What comes of a mapping's job: the differences found, or why there is no knowing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from catalog.events import GatewayDrifted, GatewayFailed, GatewayRestored
from catalog.gateways.failures import GatewayFailure, NotAllowed, Throttled, Unavailable
from catalog.gateways.interface import Change
from catalog.models import DriftReason, Gateway, GatewayMapping, SyncJob, SyncStatus
from catalog.operations.gateways import note_attention
from config.kernel.events import publish

#: How often a job that failed in passing is tried, and the longest pause between.
MAX_ATTEMPTS = 8
#: How long a job waits at most for its turn at a vendor that lets in few calls, which are no failures.
LONGEST_THROTTLED = timedelta(days=1)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
MAX_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a job found in the end: the steps that are still missing, and the digests of both sides."""

    missing: tuple[Change, ...]
    record_digest: str
    gateway_digest: str
    was_restored: bool

    @property
    def drift(self) -> list[dict[str, Any]]:
        """The differences as they are kept and shown."""
        return [asdict(one) for change in self.missing for one in change.differences]


@transaction.atomic
def end_job(claimed: GatewayMapping, outcome: Outcome, now: datetime) -> None:
    """Write down what was found, unless the job was overtaken."""
    mapping = _mine(claimed)
    if mapping is None:
        return
    drift, previous = outcome.drift, mapping.sync_status
    found = {
        "sync_status": SyncStatus.STALE if drift else SyncStatus.SYNCED,
        "drift": drift,
        "drift_reason": _reason(mapping, outcome) if drift else DriftReason.NONE,
        "last_error": "",
        "last_error_code": "",
    }
    notes: dict[str, Any] = {"job": SyncJob.NONE, "next_try_at": None, "last_checked_at": now}
    if not drift:
        agreed = {"record_digest": outcome.record_digest, "gateway_digest": outcome.gateway_digest}
        notes |= {"last_synced_at": now, **agreed}
    _settle(mapping, found, notes, now)
    Gateway.objects.filter(pk=mapping.gateway_id).update(failures=0, paused_until=None)
    note_attention(mapping.gateway_id, "", now=now)
    about = {"mapping_id": mapping.id, "product_id": mapping.product_id, "gateway_id": mapping.gateway_id}
    if drift and previous == SyncStatus.SYNCED:
        publish(GatewayDrifted(**about, differences=len(drift)))
    if outcome.was_restored and not drift:
        publish(GatewayRestored(**about, at=now))


@transaction.atomic
def fail_job(claimed: GatewayMapping, failure: GatewayFailure, now: datetime) -> None:
    """Write down why the job failed; what may pass is tried again later, and the gateway rests until then."""
    again = _is_tried_again(claimed, failure, now)
    pause = _pause(claimed, failure)
    mapping = _mine(claimed)
    if isinstance(failure, Unavailable):
        # Nobody answers: the other mappings of this gateway need not find out one by one.
        Gateway.objects.filter(pk=claimed.gateway_id).update(failures=F("failures") + 1, paused_until=now + pause)
    if isinstance(failure, NotAllowed):
        note_attention(claimed.gateway_id, str(failure), now=now)
    if mapping is None:
        return
    if isinstance(failure, Throttled) and again:
        # Who is told when to come back has not failed; without that, each try waits longer than the one before.
        attempts = (
            claimed.attempts - 1 if failure.retry_after_s is not None else min(claimed.attempts, MAX_ATTEMPTS - 1)
        )
        notes = {"next_try_at": now + pause, "attempts": attempts, "claimed_until": None}
        GatewayMapping.objects.filter(pk=mapping.pk).update(**notes)
        # The budget is the connection's, so whoever comes next would only ask in vain.
        Gateway.objects.filter(pk=mapping.gateway_id).update(paused_until=now + pause)
        return
    previous = mapping.sync_status
    found = {
        "sync_status": SyncStatus.ERROR,
        "last_error": str(failure)[:MAX_ERROR],
        "last_error_code": failure.code,
    }
    notes = {
        "job": mapping.job if again else SyncJob.NONE,
        "next_try_at": now + pause if again else None,
        "last_checked_at": now,
    }
    _settle(mapping, found, notes, now)
    if previous != SyncStatus.ERROR:
        publish(
            GatewayFailed(
                mapping_id=mapping.id,
                product_id=mapping.product_id,
                gateway_id=mapping.gateway_id,
                code=failure.code,
                reason=str(failure),
            )
        )


def _is_tried_again(claimed: GatewayMapping, failure: GatewayFailure, now: datetime) -> bool:
    """Tell whether the same may succeed later, without anybody doing anything."""
    if isinstance(failure, Throttled):
        return claimed.requested_at is not None and now - claimed.requested_at < LONGEST_THROTTLED
    return failure.passes and claimed.attempts < MAX_ATTEMPTS


def _mine(claimed: GatewayMapping) -> GatewayMapping | None:
    """Return the mapping locked, or None where a newer request overtook the job or the mapping is gone."""
    return GatewayMapping.objects.select_for_update().filter(pk=claimed.pk, job_number=claimed.job_number).first()


def _settle(mapping: GatewayMapping, found: dict[str, Any], notes: dict[str, Any], now: datetime) -> None:
    """Write the notes of a locked mapping always, and what was found where it is news, which makes history."""
    news = mapping.assign(found)
    notes = {**notes, "claimed_until": None}
    mapping.assign(notes)
    if news:
        mapping.save_changes(*news, *notes, now=now)
    else:
        GatewayMapping.objects.filter(pk=mapping.pk).update(**notes)


def _reason(mapping: GatewayMapping, outcome: Outcome) -> DriftReason:
    """Return which side moved since both agreed."""
    if not mapping.record_digest:
        return DriftReason.NEVER_APPLIED
    record_moved = mapping.record_digest != outcome.record_digest
    gateway_moved = mapping.gateway_digest != outcome.gateway_digest
    if record_moved and gateway_moved:
        return DriftReason.BOTH_CHANGED
    return DriftReason.RECORD_CHANGED if record_moved else DriftReason.GATEWAY_CHANGED


def _pause(claimed: GatewayMapping, failure: GatewayFailure) -> timedelta:
    """Return how long to wait: as the vendor asks, else longer each time."""
    if failure.retry_after_s is not None:
        return min(max(timedelta(seconds=failure.retry_after_s), timedelta(seconds=1)), LONGEST_PAUSE)
    return min(FIRST_PAUSE * int(2 ** (claimed.attempts - 1)), LONGEST_PAUSE)
