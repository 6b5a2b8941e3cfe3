"""Hands in the books of invoice lines: amounts shifted between lines of a draft, and bounds of plans changed later."""

from __future__ import annotations

from tests.billing.changes import Sabotage

_USED = "invoice_id IN (SELECT invoice_id FROM billing_invoiceline WHERE kind = 'usage')"
_DRAFT = f"{_USED} AND invoice_id IN (SELECT id FROM billing_invoice WHERE status = 'draft')"
_PERIODS = """
    SELECT period.id FROM billing_billedperiod period
    JOIN customers_subscription subscription ON subscription.id = period.subscription_id
"""


def _shifted(what: str, amount: str) -> Sabotage:
    """Shift an amount from the base fee to the usage of a draft, whose total stays as it is."""
    return Sabotage(
        what=what,
        prefix="bper",
        before=[f"UPDATE billing_invoiceline SET amount = amount - {amount} WHERE kind = 'base' AND {_DRAFT}"],
        sql=f"""
            WITH shifted AS (
                UPDATE billing_invoiceline SET amount = amount + {amount} WHERE kind = 'usage' AND {_DRAFT}
                AND position = 2 RETURNING subscription_id, period_start
            )
            SELECT period.id FROM billing_billedperiod period
            JOIN shifted ON (shifted.subscription_id, shifted.period_start) = (period.subscription_id, period.starts_at)
        """,
    )


def _other_terms(what: str, change: str, *, periods: str) -> Sabotage:
    """Change the terms of every plan with bounds, and their history alike; ``periods`` says which of theirs break."""
    bounded = "WHERE maximum_spend IS NOT NULL"
    return Sabotage(
        what=what,
        prefix="bper",
        before=[f"UPDATE catalog_historicalrateplan SET {change} {bounded}"],
        sql=f"""
            WITH changed AS (UPDATE catalog_rateplan SET {change} {bounded} RETURNING id)
            {_PERIODS} JOIN changed ON changed.id = subscription.plan_id WHERE {periods}
        """,
    )


def _other_minimum(what: str, change: str) -> Sabotage:
    """Change the minimum of every charge that has one, and its history alike; whole periods with it break."""
    has_one = "WHERE minimum_amount > 0"
    return Sabotage(
        what=what,
        prefix="bper",
        before=[f"UPDATE catalog_historicalcharge SET minimum_amount = {change} {has_one}"],
        sql=f"""
            WITH changed AS (UPDATE catalog_charge SET minimum_amount = {change} {has_one} RETURNING plan_id)
            {_PERIODS} JOIN changed ON changed.plan_id = subscription.plan_id
            WHERE period.starts_at = '2026-04-01T00:00:00Z'
        """,
    )


_APRIL = "period.starts_at = '2026-04-01T00:00:00Z'"
_LIFTED = (
    "EXISTS (SELECT 1 FROM billing_invoiceline line WHERE line.kind = 'true_up' AND line.charge_id IS NULL "
    "AND (line.subscription_id, line.period_start) = (period.subscription_id, period.starts_at))"
)

LINE_SABOTAGES: dict[str, tuple[Sabotage, ...]] = {
    "usage_costs_what_it_was_rated_at_most": (_shifted("usage costs more", "0.01"),),
    "usage_is_billed_or_covered": (_shifted("usage costs less", "-0.01"),),
    "periods_keep_to_the_maximum_spend": (
        _other_terms("the maximum was lower", "maximum_spend = 599.99", periods=f"{_APRIL} AND NOT {_LIFTED}"),
    ),
    "true_ups_go_up_to_the_minimum": (
        _other_terms("the commitment was lower", "minimum_commitment = 299.99", periods=f"{_APRIL} AND {_LIFTED}"),
        _other_minimum("the minimum of a charge was lower", "49.99"),
    ),
    "whole_periods_reach_the_minimum": (
        _other_terms("the commitment was higher", "minimum_commitment = 300.01", periods=f"{_APRIL} AND {_LIFTED}"),
        _other_minimum("the minimum of a charge was higher", "50.01"),
    ),
}
