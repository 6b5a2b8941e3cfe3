"""``manage.py sync_gateways``: compare gateways with our record, and restore them on demand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.models import Gateway, GatewayMapping, SyncStatus
from catalog.operations.gateway_mappings import request_check, request_restore
from catalog.operations.gateway_sync import run_jobs
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Check or restore mappings at once, without a worker."""

    help = "Check every mapping to a gateway, or push our record with --restore; exits with 1 unless all end SYNCED."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do, and with which mappings."""
        super().add_arguments(parser)
        parser.add_argument("--restore", action="store_true", help="push our record to the gateways")
        parser.add_argument("--mapping", metavar="GMAP_ID", action="append", help="only this mapping (repeatable)")
        parser.add_argument("--gateway", metavar="GATE_ID", action="append", help="only mappings of this gateway")

    def run(self, *, now: datetime, **options: Any) -> None:
        """Ask for the jobs, do them, and print what came of each."""
        mappings = chosen(options["mapping"], options["gateway"])
        ask = request_restore if options["restore"] else request_check
        for mapping in mappings:
            ask(mapping.id, now=now)
        for gateway in dict.fromkeys(mapping.gateway_id for mapping in mappings):
            run_jobs(gateway, clock=lambda: now)
        results = [GatewayMapping.objects.select_related("gateway", "product").get(pk=one.pk) for one in mappings]
        for mapping in results:
            why = mapping.last_error or (f"{len(mapping.drift)} difference(s)" if mapping.drift else "")
            where = f"{mapping.product.code} → {mapping.gateway} {mapping.external_ref}"
            self.stdout.write(f"{mapping.id} {where}: {mapping.status} {why}".rstrip())
        others = sum(mapping.status != SyncStatus.SYNCED for mapping in results)
        self.stdout.write(f"{len(results) - others} of {len(results)} mapping(s) are SYNCED")
        if others:
            raise CommandError(f"{others} mapping(s) are not SYNCED")


def chosen(mappings: list[str] | None, gateways: list[str] | None) -> list[GatewayMapping]:
    """
    Return the mappings named, or all of the gateways named, or all there are.

    Raises:
        NotFound: an id names none.
    """
    if mappings:
        return [GatewayMapping.objects.find(one) for one in mappings]
    found = GatewayMapping.objects.order_by("gateway", "id")
    if gateways:
        found = found.filter(gateway__in=[Gateway.objects.find(one).pk for one in gateways])
    return list(found)
