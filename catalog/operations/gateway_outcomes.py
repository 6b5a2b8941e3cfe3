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
from config.kernel.events import publish

#: How often a job that failed in passing is tried, and the longest pause between.
MAX_ATTEMPTS = 8
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
    _note_attention(mapping.gateway_id, "", now)
    about = {"mapping_id": mapping.id, "product_id": mapping.product_id, "gateway_id": mapping.gateway_id}
    if drift and previous == SyncStatus.SYNCED:
        publish(GatewayDrifted(**about, differences=len(drift)))
    if outcome.was_restored and not drift:
        publish(GatewayRestored(**about))


@transaction.atomic
def fail_job(claimed: GatewayMapping, failure: GatewayFailure, now: datetime) -> None:
    """Write down why the job failed; what may pass is tried again later, and the gateway rests until then."""
    again = failure.passes and claimed.attempts < MAX_ATTEMPTS
    pause = _pause(claimed, failure)
    mapping = _mine(claimed)
    if isinstance(failure, Unavailable):
        # Nobody answers: the other mappings of this gateway need not find out one by one.
        Gateway.objects.filter(pk=claimed.gateway_id).update(failures=F("failures") + 1, paused_until=now + pause)
    if isinstance(failure, NotAllowed):
        _note_attention(claimed.gateway_id, str(failure), now)
    if mapping is None:
        return
    if isinstance(failure, Throttled) and again:
        GatewayMapping.objects.filter(pk=mapping.pk).update(next_try_at=now + pause, claimed_until=None)
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


def _note_attention(gateway_id: str, why: str, now: datetime) -> None:
    """Show at the gateway why operators have to look after it; nothing where all is well again."""
    gateway = Gateway.objects.lock(gateway_id)
    if gateway.assign({"attention": why[:MAX_ERROR]}):
        gateway.save_changes("attention", now=now)
