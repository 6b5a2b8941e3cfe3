"""Gateways on loopback may be called here, and nobody waits for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.gateways.fakes.apigee import FakeApigee
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.fakes.server import serving
from tests.gateways.house import azure_service
from tests.gateways.kong_bench import Bench, kong_bench
from tests.gateways.kong_plans import RECORD

EDITIONS = ("enterprise", "konnect", "oss")


@pytest.fixture(autouse=True)
def gateways_on_loopback(settings: LazySettings) -> None:
    """Allow the addresses of the fakes, and bound every wait to a moment."""
    settings.GATEWAY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.GATEWAY_RETRY_WAIT_S = (0.0, 0.01)


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    """A small gateway that is held to its vendor's specification."""
    with azure_service("weather", "maps", "trains") as fake:
        yield fake


@pytest.fixture
def apigee() -> Iterator[FakeApigee]:
    """An organization that is held to Google's own description of the API."""
    fake = FakeApigee()
    with serving(fake):
        yield fake
    assert fake.violations == []


@pytest.fixture(params=EDITIONS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with kong_bench(request.param) as made:
        yield made


@pytest.fixture
def enterprise() -> Iterator[Bench]:
    with kong_bench("enterprise") as made:
        yield made


@pytest.fixture
def oss() -> Iterator[Bench]:
    with kong_bench("oss") as made:
        yield made


@pytest.fixture(params=EDITIONS)
def planned(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A Kong that has the plans."""
    with kong_bench(request.param) as made:
        made.restore(RECORD)
        yield made


@pytest.fixture
def planned_enterprise() -> Iterator[Bench]:
    """Kong Enterprise that has the plans."""
    with kong_bench("enterprise") as made:
        made.restore(RECORD)
        yield made
