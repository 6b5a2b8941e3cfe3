"""Changes past what guards the books: how one is described, and one past the history of each model that has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """Statements to run before, and the one that breaks the invariant and returns what the broken row is called by."""

    what: str
    sql: str
    prefix: str = ""
    before: Sequence[str] = ()


#: A change of each model with history: its table, the change, and the kind of its ids.
CHANGES = {
    "agent": ("customers_agent", "name = 'Another'", "agent"),
    "charge": ("catalog_charge", "name = 'Cheaper'", "chrg"),
    "credential": ("credentials_credential", "scopes = '{admin}'", "key"),
    "customer": ("customers_customer", "name = 'Someone else'", "cust"),
    "documentation": ("catalog_documentation", "digest = 'Another'", "docu"),
    "gateway": ("catalog_gateway", "name = 'Another'", "gate"),
    "gatewaymapping": ("catalog_gatewaymapping", "accepts_approximations = true", "gmap"),
    "hold": ("billing_hold", "reference = reference || '!'", "hold"),
    "invoice": ("billing_invoice", "updated_at = updated_at + interval '1 second'", "inv"),
    "metric": ("catalog_metric", "name = 'Another'", "metr"),
    "operatorkey": ("credentials_operatorkey", "scopes = '{*,*}'", "opk"),
    "payment": ("billing_payment", "reference = 'another wire'", "pay"),
    "product": ("catalog_product", "audience = 'INTERNAL'", "prod"),
    "rateplan": ("catalog_rateplan", "amount = amount - 1", "plan"),
    "subscriber": ("customers_subscriber", "first_name = 'Another'", "subr"),
    "subscription": ("customers_subscription", "name = 'Another'", "sub"),
    "team": ("customers_team", "budget_amount = 1000000", "team"),
    "wallet": ("billing_wallet", "priority = 1", "wal"),
}
