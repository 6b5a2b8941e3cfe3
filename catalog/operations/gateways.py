"""Gateways: connect, change, give new credentials, test, disconnect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction

from catalog.errors import DuplicateGatewayName, GatewayDeletionBlocked, GatewayMarkInUse, GatewayUnusable
from catalog.events import GatewayReconnected
from catalog.gateways import GatewayFailure, adapter_for, vendor_of
from catalog.gateways.failures import NotAllowed
from catalog.gateways.interface import Connection, Field, Probe
from catalog.models import Gateway, GatewayMapping
from catalog.operations.gateway_mappings import request_checks_at
from catalog.operations.gateway_pace import wait_for_slot
from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.guards import Verdict, deletion_report
from config.kernel.outbound import AddressRefused, check_url
from config.kernel.sealing import Unsealable, fingerprint, seal, unseal

#: What objects at gateways can be marked with at every vendor.
MARK = re.compile(r"[a-z][a-z0-9]{0,19}\Z", re.ASCII)
#: What decides which gateway answers, and whether.
CONNECTING = {"base_url", "settings", "sealed_credentials"}
LONGEST_VALUE = 10_000
LONGEST_SENTENCE = 500


@dataclass(frozen=True, kw_only=True)
class GatewayFields:
    """What an operator fills in; ``settings`` are strings by the names that the vendor's adapter asks for."""

    name: str
    base_url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    mark: str = "meterdesk"
    restores_by_itself: bool = False


@transaction.atomic
def create_gateway(fields: GatewayFields, *, vendor: str, credentials: Mapping[str, str], now: datetime) -> Gateway:
    """
    Connect a gateway; nothing is asked of it yet.

    Raises:
        DuplicateGatewayName: another gateway has the name.
        Invalid: the base URL, a setting or a credential is missing, unknown or none that can be used.
    """
    gateway = Gateway(vendor=vendor, created_at=now, updated_at=now, **_checked(fields, vendor))
    _seal(gateway, credentials, now)
    with refusing({"catalog_gateway_name_key": DuplicateGatewayName(value=fields.name)}):
        gateway.save(force_insert=True)
    return gateway


@transaction.atomic
def update_gateway(
    gateway_id: str, *, credentials: Mapping[str, str] | None = None, now: datetime, **changes: Any
) -> Gateway:
    """
    Change the connection and ask for a look through it; ``credentials``, when given, replace all there are.

    Raises:
        NotFound: unknown gateway.
        GatewayMarkInUse: there are mappings, whose objects carry the mark.
        DuplicateGatewayName, Invalid: as when it is created.
    """
    # Jobs lock a mapping before its gateway; the same order here, so that neither waits for the other in a circle.
    own = GatewayMapping.objects.filter(gateway=Gateway.objects.find(gateway_id)).order_by("id")
    list(own.select_for_update(of=("self",)))
    gateway = Gateway.objects.lock(gateway_id)
    kept = {name: getattr(gateway, name) for name in GatewayFields.__dataclass_fields__}
    changed = gateway.assign(_checked(GatewayFields(**{**kept, **changes}), gateway.vendor))
    if "mark" in changed and gateway.mappings.exists():
        raise GatewayMarkInUse
    if credentials is not None:
        _seal(gateway, credentials, now)
        changed += ["sealed_credentials", "credential_names", "fingerprint", "credentials_set_at"]
    if changed:
        # What kept workers away may be mended now.
        gateway.attention, gateway.paused_until, gateway.failures = "", None, 0
        with refusing({"catalog_gateway_name_key": DuplicateGatewayName(value=gateway.name)}):
            gateway.save_changes(*changed, "attention", "paused_until", "failures", now=now)
    if not CONNECTING.isdisjoint(changed):
        request_checks_at(gateway.id, now=now)
        publish(GatewayReconnected(gateway_id=gateway.id, at=now))
    return gateway


@transaction.atomic
def delete_gateway(gateway_id: str) -> None:
    """
    Forget the connection and its credentials; what is at the gateway stays there.

    Raises:
        NotFound: unknown gateway.
        GatewayDeletionBlocked: products are mapped to it.
    """
    gateway = Gateway.objects.lock(gateway_id)
    report = deletion_report(gateway)
    if report.verdict is Verdict.BLOCK:
        raise GatewayDeletionBlocked(**report.document())
    gateway.delete()


def test_gateway(gateway_id: str, *, now: datetime) -> Probe:
    """
    Ask the gateway who it is, with the credentials we have, and keep what came of it.

    In no transaction, because it asks the network; what came of it is written also where it is refused.

    Raises:
        NotFound: unknown gateway.
        GatewayUnusable: it cannot be used as it is connected.
    """
    gateway = Gateway.objects.find(gateway_id)
    try:
        probe = adapter_for(connection_of(gateway)).probe()
    except (GatewayFailure, Unsealable) as error:
        failure = error if isinstance(error, GatewayFailure) else NotAllowed(f"{error}; enter the credentials again")
        is_shut_out = isinstance(failure, NotAllowed)
        _note_test(gateway_id, str(failure), attention=str(failure) if is_shut_out else None, now=now)
        raise GatewayUnusable(reason=str(failure), failure=failure.code, status=failure.status) from error
    _note_test(gateway_id, probe.sentence, attention="", now=now)
    return probe


test_gateway.__test__ = False  # type: ignore[attr-defined] # pytest takes it for a test where tests import it.


def connection_of(gateway: Gateway) -> Connection:
    """
    Return what an adapter needs for one job, the credentials in clear.

    Raises:
        Unsealable: the keys that sealed them are gone.
    """
    return Connection(
        id=gateway.id,
        vendor=gateway.vendor,
        base_url=gateway.base_url,
        settings=gateway.settings,
        credentials=unseal(bytes(gateway.sealed_credentials), bound_to=gateway.id),
        mark=gateway.mark,
        pace=wait_for_slot,
        retry_wait_s=django_settings.GATEWAY_RETRY_WAIT_S,
        inside=tuple(django_settings.GATEWAY_ALLOWED_NETWORKS),
    )


@transaction.atomic
def _note_test(gateway_id: str, result: str, *, attention: str | None, now: datetime) -> None:
    """Keep what a test found; ``attention`` None leaves what operators are told to look after as it is."""
    gateway = Gateway.objects.lock(gateway_id)
    gateway.tested_at, gateway.test_result = now, result[:LONGEST_SENTENCE]
    changed = ["tested_at", "test_result"]
    if attention is not None:
        gateway.attention = attention[:LONGEST_SENTENCE]
        changed.append("attention")
    gateway.save_changes(*changed, now=now)


def note_attention(gateway_id: str, why: str, *, now: datetime) -> None:
    """Show at a gateway why operators have to look after it, or with no ``why`` that all is well; part of its jobs."""
    gateway = Gateway.objects.lock(gateway_id)
    if gateway.assign({"attention": why[:LONGEST_SENTENCE]}):
        gateway.save_changes("attention", now=now)


def _checked(fields: GatewayFields, vendor: str) -> dict[str, Any]:
    """Return the columns; refuse what the vendor's adapter cannot use."""
    adapter = vendor_of(vendor)
    if not MARK.match(fields.mark):
        raise Invalid("mark", "A mark is a lower-case letter and up to 19 letters and digits")
    if adapter.needs_base_url and not fields.base_url:
        raise Invalid("base_url", f"The address of {adapter.label}'s admin interface is needed")
    if fields.base_url:
        try:
            check_url(fields.base_url, inside=django_settings.GATEWAY_ALLOWED_NETWORKS)
        except AddressRefused as refusal:
            raise Invalid("base_url", str(refusal)) from refusal
    values = _values(fields.settings, adapter.setting_fields, "settings")
    try:
        adapter.check_settings(values, fields.base_url)
    except ValueError as error:
        named = error.args[0] if error.args[0] == "base_url" else f"settings.{error.args[0]}"
        raise Invalid(named, str(error.args[1])) from error
    return {
        "name": fields.name,
        "base_url": fields.base_url.rstrip("/"),
        "settings": values,
        "mark": fields.mark,
        "restores_by_itself": fields.restores_by_itself,
    }


def _values(given: Mapping[str, object], known: tuple[Field, ...], param: str) -> dict[str, str]:
    """Return the values by name, without the empty ones and with defaults; refuse unknown and missing names."""
    by_name = {one.name: one for one in known}
    unknown = sorted(set(given) - set(by_name))
    if unknown:
        raise Invalid(f"{param}.{unknown[0]}", f"This vendor has no setting '{unknown[0]}'")
    values = {}
    for one in known:
        value = given.get(one.name) or one.default
        if not isinstance(value, str) or len(value) > LONGEST_VALUE or "\0" in value:
            raise Invalid(f"{param}.{one.name}", f"{one.label} must be a text")
        if one.required and not value.strip():
            raise Invalid(f"{param}.{one.name}", f"{one.label} is needed")
        if value and one.choices and value not in dict(one.choices):
            allowed = ", ".join(choice for choice, _ in one.choices)
            raise Invalid(f"{param}.{one.name}", f"{one.label} must be one of {allowed}")
        if value:
            values[one.name] = value.strip()
    return values


def _seal(gateway: Gateway, credentials: Mapping[str, object], now: datetime) -> None:
    values = _values(credentials, vendor_of(gateway.vendor).credential_fields, "credentials")
    gateway.sealed_credentials = seal(values, bound_to=gateway.id)
    gateway.credential_names = sorted(values)
    gateway.fingerprint = fingerprint(values) if values else ""
    gateway.credentials_set_at = now
