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
    "addon": ("catalog_addon", "amount = amount + 1", "addon"),
    "addontax": ("catalog_addontax", "tax_id = add_on_id", "atax"),
    "agent": ("customers_agent", "name = 'Another'", "agent"),
    "charge": ("catalog_charge", "name = 'Cheaper'", "chrg"),
    "coupon": ("catalog_coupon", "rate_percent = 100", "coup"),
    "couponmetric": ("catalog_couponmetric", "metric_id = coupon_id", "cmet"),
    "couponplan": ("catalog_couponplan", "plan_id = coupon_id", "cpln"),
    "credential": ("credentials_credential", "scopes = '{admin}'", "key"),
    "customer": ("customers_customer", "name = 'Someone else'", "cust"),
    "documentation": ("catalog_documentation", "digest = 'Another'", "docu"),
    "gateway": ("catalog_gateway", "name = 'Another'", "gate"),
    "gatewaykey": ("credentials_gatewaykey", "generation = generation + 100", "gkey"),
    "gatewaymapping": ("catalog_gatewaymapping", "accepts_approximations = true", "gmap"),
    "hold": ("billing_hold", "reference = reference || '!'", "hold"),
    "invoice": ("billing_invoice", "updated_at = updated_at + interval '1 second'", "inv"),
    "metric": ("catalog_metric", "name = 'Another'", "metr"),
    "operatorkey": ("credentials_operatorkey", "scopes = '{*,*}'", "opk"),
    "payment": ("billing_payment", "reference = 'another wire'", "pay"),
    "product": ("catalog_product", "audience = 'INTERNAL'", "prod"),
    "rateplan": ("catalog_rateplan", "amount = amount - 1", "plan"),
    "rateplantax": ("catalog_rateplantax", "tax_id = plan_id", "ptax"),
    "subscriber": ("customers_subscriber", "first_name = 'Another'", "subr"),
    "subscription": ("customers_subscription", "name = 'Another'", "sub"),
    "tax": ("catalog_tax", "rate_percent = rate_percent + 1", "tax"),
    "team": ("customers_team", "budget_amount = 1000000", "team"),
    "wallet": ("billing_wallet", "priority = 1", "wal"),
}
