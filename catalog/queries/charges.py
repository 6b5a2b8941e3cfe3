"""Charges of rate plans as prices, bills and pages need them."""

from __future__ import annotations

from catalog.models import Charge
from config.kernel.ids import TypeID


def charges_of(plan: TypeID) -> list[Charge]:
    """Return the charges of ``plan`` (an id) with their metrics, in their order."""
    return list(Charge.objects.filter(plan=plan).select_related("metric").order_by("position"))
