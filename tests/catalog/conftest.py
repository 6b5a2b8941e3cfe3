"""What the tests of the catalog share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.catalog.openapi import document
from tests.web import Page, Site, site


@pytest.fixture
def web(settings: LazySettings) -> Iterator[Site]:
    """Serve documents on this machine, and let them be fetched from there."""
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with site({"/openapi.json": Page(body=document(), headers={"Content-Type": "application/json"})}) as found:
        yield found
