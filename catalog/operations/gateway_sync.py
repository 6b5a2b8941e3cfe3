"""
The jobs on mappings: compare a gateway with our record, and push our record.

A gateway has one worker at a time, held by a lease on its row, so that one that is slow or away occupies one worker and
delays no other gateway. The network is asked outside any transaction; what came of it is written only if the job has
not been overtaken by a newer request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from catalog.gateways import GatewayAdapter, GatewayFailure, adapter_for, vendor_of
from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, digest_of
from catalog.gateways.failures import Abandoned, Conflict, NotAllowed, Unsupported
from catalog.gateways.interface import Change, Resource
from catalog.models import Gateway, GatewayMapping, SyncJob
from catalog.operations.gateway_outcomes import MAX_ATTEMPTS, Outcome, end_job, fail_job
from catalog.operations.gateways import connection_of
from catalog.queries.desired import document_for, imperfect_limits
from config.kernel.sealing import Unsealable

#: After what silence a worker counts as dead; longer than any one call with its repetitions.
LEASE = timedelta(minutes=10)
#: How often a gateway is read after a restore, because some take a moment until they show what they took.
LOOKS = 3


def claim_gateway(gateway_id: str, *, now: datetime) -> bool:
    """Take the gateway for one worker until ``release_gateway``, and tell whether it was free."""
    return bool(Gateway.objects.free(now).filter(pk=gateway_id).update(claimed_until=now + LEASE))


def release_gateway(gateway_id: str) -> None:
    """Let the next worker have the gateway."""
    Gateway.objects.filter(pk=gateway_id).update(claimed_until=None)


def run_jobs(gateway_id: str, *, clock: Callable[[], datetime]) -> int:
    """
    Do the jobs that wait at a gateway, one after the other, and return how many; none where another worker is at it.

    Jobs take minutes together, so each begins at what ``clock`` says then.
    """
    if not claim_gateway(gateway_id, now=clock()):
        return 0
    done = 0
    try:
        while run_next_job(gateway_id, now=clock()):
            done += 1
    finally:
        release_gateway(gateway_id)
    return done


def seconds_to_next_job(gateway_id: str, *, now: datetime) -> float | None:
    """Return how long the next job at the gateway has to wait, 0 where it can be done now, None where none waits."""
    waiting = GatewayMapping.objects.filter(gateway_id=gateway_id).exclude(job=SyncJob.NONE)
    times = [one or now for one in waiting.values_list("next_try_at", flat=True)]
    gateway = Gateway.objects.filter(pk=gateway_id).first()
    if gateway is None or not times:
        return None
    earliest = min(times)
    return max(0.0, (max(earliest, gateway.paused_until or now) - now).total_seconds())


def run_next_job(gateway_id: str, *, now: datetime) -> bool:
    """
    Do the next job at a gateway that the caller has claimed, and tell whether there was one.

    Running it twice is harmless. What fails is written down at the mapping, never raised.
    """
    claimed = _claim(gateway_id, now)
    if claimed is None:
        return False
    if claimed.attempts > MAX_ATTEMPTS:
        # Who fails writes that down; only workers that died on the way leave so many attempts behind.
        fail_job(claimed, Abandoned("No worker that took this on lived to tell what came of it"), now)
        return True
    try:
        outcome = _work(claimed)
    except GatewayFailure as failure:
        fail_job(claimed, failure, now)
    except Unsealable as error:
        fail_job(claimed, NotAllowed(f"{error}; enter the credentials again"), now)
    else:
        end_job(claimed, outcome, now)
    return True


@transaction.atomic
def _claim(gateway_id: str, now: datetime) -> GatewayMapping | None:
    """Take on the job that waits longest, restores first; None where there is none, or the gateway has to rest."""
    paused = Q(paused_until__isnull=False, paused_until__gt=now)
    if not Gateway.objects.exclude(paused).filter(pk=gateway_id).update(claimed_until=now + LEASE):
        return None
    due = GatewayMapping.objects.due(now).filter(gateway_id=gateway_id).select_related("gateway", "product")
    found = due.order_by("-job", "requested_at", "id").select_for_update(skip_locked=True, of=("self",)).first()
    if found is not None:
        found.attempts += 1
        GatewayMapping.objects.filter(pk=found.pk).update(attempts=F("attempts") + 1, claimed_until=now + LEASE)
    return found


def _work(mapping: GatewayMapping) -> Outcome:
    """Compare, and where that is the job push; outside any transaction."""
    document, gateway = document_for(mapping), mapping.gateway
    _refuse_unsupported(document, mapping)
    adapter = adapter_for(connection_of(gateway))
    desired = adapter.desired(document, mapping.external_ref)
    live = adapter.fetch(document, mapping.external_ref)
    missing = changes_between(live, desired)
    pushes = mapping.job == SyncJob.RESTORE or (gateway.restores_by_itself and bool(missing))
    if pushes:
        _push(adapter, mapping, document, missing)
        live, missing = _looked_again(adapter, mapping, document, desired)
    return Outcome(
        missing=tuple(missing),
        record_digest=document.digest,
        gateway_digest=digest_of(sorted([one.kind, one.key, dict(one.fields)] for one in live)),
        was_restored=pushes,
    )


def _refuse_unsupported(document: DesiredDocument, mapping: GatewayMapping) -> None:
    """Refuse limits that the gateway cannot enforce, and approximations that nobody agreed to."""
    adapter = vendor_of(mapping.gateway.vendor)
    for plan, limit, support in imperfect_limits(document, adapter, mapping.gateway.settings):
        if support.level == "unsupported":
            raise Unsupported(f"{plan.name}: {limit.of.label} cannot be enforced here. {support.why}")
        if not mapping.accepts_approximations:
            raise Unsupported(
                f"{plan.name}: {limit.of.label} can only be approximated here. {support.why} "
                f"Accept approximations on the mapping to send it all the same."
            )


def _push(
    adapter: GatewayAdapter, mapping: GatewayMapping, document: DesiredDocument, changes: Sequence[Change]
) -> None:
    """Take the steps in their order; somebody else's change in between is looked at once."""
    try:
        _take(adapter, mapping, document, changes)
    except Conflict:
        desired = adapter.desired(document, mapping.external_ref)
        live = adapter.fetch(document, mapping.external_ref)
        _take(adapter, mapping, document, changes_between(live, desired))


def _take(
    adapter: GatewayAdapter, mapping: GatewayMapping, document: DesiredDocument, changes: Sequence[Change]
) -> None:
    for done, change in enumerate(changes):
        _note_progress(mapping, {"done": done, "of": len(changes), "step": f"{change.action} {change.resource.label}"})
        adapter.apply(change, document, mapping.external_ref)
    _note_progress(mapping, {"done": len(changes), "of": len(changes), "step": ""})


def _looked_again(
    adapter: GatewayAdapter, mapping: GatewayMapping, document: DesiredDocument, desired: Sequence[Resource]
) -> tuple[Sequence[Resource], list[Change]]:
    """Read the gateway until it shows what it took, a few times at most, and return what it shows."""
    for look in range(LOOKS):
        if look:
            time.sleep(min(adapter.connection.retry_wait_s[0] * 2**look, adapter.connection.retry_wait_s[1]))
        live = adapter.fetch(document, mapping.external_ref)
        missing = changes_between(live, desired)
        if not missing:
            break
    return live, missing


def _note_progress(mapping: GatewayMapping, progress: dict[str, Any]) -> None:
    GatewayMapping.objects.filter(pk=mapping.pk, job_number=mapping.job_number).update(progress=progress)
