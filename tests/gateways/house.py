"""Products with limits, connected to small gateways: what tests of checks and restores begin with."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from catalog.models import Gateway, GatewayMapping, Product, RatePlan
from catalog.operations.gateway_mappings import create_gateway_mapping, request_check, request_restore
from catalog.operations.gateway_sync import run_jobs
from catalog.operations.gateways import GatewayFields, create_gateway
from catalog.operations.rate_plans import activate_rate_plan
from tests.factories import NOW, make_plan, make_product
from tests.gateways.fakes.azure import CREDENTIALS, SETTINGS, FakeAzure
from tests.gateways.fakes.server import serving

LATER = NOW + timedelta(hours=1)
#: What the first API of a small service is called, which is there already.
REF = "petstore"

_numbers = itertools.count(1)


@contextmanager
def azure_service(*apis: str) -> Iterator[FakeAzure]:
    """Let a small API Management answer inside the block, with these APIs besides the first."""
    fake = FakeAzure()
    fake.apis |= set(apis)
    with serving(fake):
        yield fake
    assert fake.violations == []


def connect(fake: FakeAzure | None = None, *, credentials: dict[str, str] = CREDENTIALS, **fields: Any) -> Gateway:
    """Return a connection to ``fake``; without one, to an address at which nobody has ever answered."""
    given = {"name": f"Gateway {next(_numbers)}", "base_url": fake.base_url if fake else "http://127.0.0.1:1"}
    about = GatewayFields(**{**given, "settings": SETTINGS, **fields})
    return create_gateway(about, vendor="AZURE_APIM", credentials=credentials, now=NOW)


def limited_plan(product: Product, **limits: int) -> RatePlan:
    """Return an active plan with these limits."""
    plan = make_plan(product=product, active=False)
    RatePlan.objects.filter(pk=plan.pk).update(limits=limits)
    return activate_rate_plan(plan.id, now=NOW)


def limited_product(**limits: int) -> Product:
    """Return a product with one plan that has these limits."""
    product = make_product()
    limited_plan(product, **(limits or {"rate_per_minute": 100}))
    return product


def link(gateway: Gateway, *, ref: str = REF, product: Product | None = None, **fields: Any) -> GatewayMapping:
    """Return a mapping whose first check waits."""
    linked = product or limited_product()
    return create_gateway_mapping(product=linked.id, gateway=gateway.id, external_ref=ref, now=NOW, **fields)


def work(gateway: Gateway, *, now: datetime = NOW) -> int:
    """Do the jobs that wait at the gateway, and return how many."""
    return run_jobs(gateway.id, clock=lambda: now)


def restored(gateway: Gateway, **fields: Any) -> GatewayMapping:
    """Return a mapping at which both sides agree."""
    mapping = request_restore(link(gateway, **fields).id, now=NOW)
    work(gateway)
    found = fresh(mapping)
    assert found.status == "SYNCED", found.last_error
    return found


def fresh(mapping: GatewayMapping) -> GatewayMapping:
    """Return the mapping as it is now."""
    return GatewayMapping.objects.select_related("gateway", "product").get(pk=mapping.pk)


def loosen(fake: FakeAzure) -> None:
    """Let ten times as many requests in at every plan, as somebody did by hand."""
    for name, policy in fake.policies.items():
        fake.policies[name] = policy.replace('calls="100"', 'calls="1000"')


def checked(mapping: GatewayMapping) -> GatewayMapping:
    """Return the mapping after a new look at its gateway."""
    request_check(mapping.id, now=LATER)
    work(mapping.gateway, now=LATER)
    return fresh(mapping)


def stale(azure: FakeAzure) -> GatewayMapping:
    """Return a mapping whose gateway was changed by hand."""
    mapping = restored(connect(azure, name="Azure EU"))
    loosen(azure)
    request_check(mapping.id, now=NOW)
    work(mapping.gateway)
    return fresh(mapping)


@contextmanager
def beside(*functions: Callable[[], Any]) -> Iterator[list[threading.Thread]]:
    """Run the functions in threads of their own beside the block, and wait for them in the end."""

    def run(function: Callable[[], Any]) -> None:
        try:
            function()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()


def until(holds: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
