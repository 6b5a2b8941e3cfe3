"""Gateways on loopback may be called here, and nobody waits for them."""

from __future__ import annotations

import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def gateways_on_loopback(settings: LazySettings) -> None:
    """Allow the addresses of the fakes, and bound every wait to a moment."""
    settings.GATEWAY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.GATEWAY_RETRY_WAIT_S = (0.0, 0.01)
