"""What wallets hold at a moment: overdue holds count as given back, whether or not a worker has swept them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import Hold
from billing.models.wallet import WalletQuerySet
from config.kernel.money import ZERO, AmountField


def with_amounts_at(wallets: WalletQuerySet, now: datetime) -> WalletQuerySet:
    """Annotate ``wallets`` with ``held_now`` and ``spendable_now``, which add up to the balance."""
    overdue = Hold.objects.overdue(now).filter(wallet=OuterRef("pk")).order_by().values("wallet")
    rests = overdue.annotate(rests=Sum(F("amount") - F("committed"))).values("rests")
    returned = Coalesce(Subquery(rests), ZERO, output_field=AmountField())
    return wallets.annotate(held_now=F("held") - returned, spendable_now=F("balance") - F("held") + returned)
