"""What the tests of the catalog share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.catalog.openapi import document
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.house import azure_service
from tests.web import Page, Site, site


@pytest.fixture
def web(settings: LazySettings) -> Iterator[Site]:
    """Serve documents on this machine, and let them be fetched from there."""
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with site({"/openapi.json": Page(body=document(), headers={"Content-Type": "application/json"})}) as found:
        yield found


@pytest.fixture
def gateways_on_loopback(settings: LazySettings) -> None:
    """Let gateways on this machine be called, and bound every wait to a moment."""
    settings.GATEWAY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.GATEWAY_RETRY_WAIT_S = (0.0, 0.01)


@pytest.fixture
def azure(gateways_on_loopback: None) -> Iterator[FakeAzure]:
    """A small gateway that is held to its vendor's specification."""
    with azure_service("weather", "maps", "trains") as fake:
        yield fake
