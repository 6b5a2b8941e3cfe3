"""What must always be true of invoice lines: they are what usage was rated at, within the bounds of the plan."""

from __future__ import annotations

from billing.queries.invariants import Invariant
from config.kernel.money import currency_exponents

#: The digits of a currency's minor unit; most have two.
_DIGITS = "CASE plan.currency {} ELSE 2 END".format(
    " ".join(f"WHEN '{code}' THEN {digits}" for code, digits in currency_exponents().items() if digits != 2)
)

#: Of every charge in every billed period: what was billed of it, and the most its tiers ever came to, as late units can
#: make a volume price cheaper, which takes nothing back. Of every period: what was billed, on all invoices and on its
#: own, and the bounds of its plan. It paid its fee for all days where one day less would be a minor unit less, also in
#: a leap year.
_BILLED = """
    WITH term AS (
        SELECT period.id, period.subscription_id, period.starts_at, period.invoice_id, plan.id AS plan_id,
               plan.amount AS fee, plan.maximum_spend, plan.minimum_commitment, DIGITS AS digits
        FROM billing_billedperiod period
        JOIN customers_subscription subscription ON subscription.id = period.subscription_id
        JOIN catalog_rateplan plan ON plan.id = subscription.plan_id
    ), line AS (
        SELECT term.id, line.charge_id, line.kind, line.amount,
               line.invoice_id = term.invoice_id AND line.kind <> 'late_usage' AS is_own,
               round((SELECT sum((tier ->> 'amount')::numeric) FROM jsonb_array_elements(line.tiers) tier), term.digits)
                   AS rated
        FROM billing_invoiceline line
        JOIN term ON (term.subscription_id, term.starts_at) = (line.subscription_id, line.period_start)
    ), charge AS (
        SELECT id, charge_id, COALESCE(max(rated), 0) AS rated,
               COALESCE(sum(amount) FILTER (WHERE kind <> 'true_up'), 0) AS usage,
               COALESCE(sum(amount) FILTER (WHERE kind = 'true_up'), 0) AS true_up,
               COALESCE(sum(amount) FILTER (WHERE is_own), 0) AS own
        FROM line WHERE charge_id IS NOT NULL GROUP BY id, charge_id
    ), period AS (
        SELECT billed.*, term.plan_id, term.digits, round(term.maximum_spend, term.digits) AS maximum,
               COALESCE(round(term.minimum_commitment, term.digits), 0) AS minimum,
               billed.base = round(term.fee, term.digits) AND term.fee * power(10::numeric, term.digits) > 366
                   AS is_whole
        FROM term
        JOIN (
            SELECT id, sum(amount) AS total, COALESCE(sum(amount) FILTER (WHERE is_own), 0) AS own,
                   COALESCE(sum(amount) FILTER (WHERE kind = 'base'), 0) AS base,
                   COALESCE(sum(amount) FILTER (WHERE kind = 'true_up' AND charge_id IS NULL), 0) AS true_up
            FROM line GROUP BY id
        ) billed ON billed.id = term.id
    )
""".replace("DIGITS", _DIGITS)


def _of_lines(name: str, sentence: str, sql: str) -> Invariant:
    return Invariant(name=name, sentence=sentence, sql=f"{_BILLED} {sql}", prefix="bper")


LINES = (
    _of_lines(
        "usage_costs_what_it_was_rated_at_most",
        "No charge of a period is billed beyond what its usage was rated at",
        """
            SELECT id, format('charge %s: rated %s, billed %s', charge_id, rated, usage)
            FROM charge WHERE usage > rated
        """,
    ),
    _of_lines(
        "usage_is_billed_or_covered",
        "A period is billed all that its usage was rated at up to the maximum; true-ups pay for what came later",
        """
            SELECT period.id, format('billed %s of %s, maximum %s', total, base + due.amount, maximum)
            FROM period
            JOIN (SELECT id, sum(GREATEST(rated, usage + true_up)) AS amount FROM charge GROUP BY id) due
              ON due.id = period.id
            WHERE total < LEAST(maximum, base + due.amount)
        """,
    ),
    _of_lines(
        "periods_keep_to_the_maximum_spend",
        "All that is billed for a period comes to the maximum spend at most",
        "SELECT id, format('billed %s, maximum %s', total, maximum) FROM period WHERE total > maximum",
    ),
    _of_lines(
        "true_ups_go_up_to_the_minimum",
        "With its true-up a period, or a charge in it, comes to the minimum at most",
        """
            SELECT id, format('billed %s with a true-up of %s, minimum %s', own, true_up, minimum)
            FROM period WHERE true_up > 0 AND own > minimum
            UNION ALL
            SELECT term.id, format('charge %s: billed %s with a true-up of %s, minimum %s', priced.id, charge.own,
                                   charge.true_up, priced.minimum_amount)
            FROM charge JOIN term ON term.id = charge.id JOIN catalog_charge priced ON priced.id = charge.charge_id
            WHERE charge.true_up > 0 AND charge.own > round(priced.minimum_amount, term.digits)
        """,
    ),
    _of_lines(
        "whole_periods_reach_the_minimum",
        "A period that paid its whole base fee comes to the minimum at least, and so does each charge in it",
        """
            SELECT id, format('billed %s, minimum %s', own, minimum) FROM period WHERE is_whole AND own < minimum
            UNION ALL
            SELECT period.id, format('charge %s: billed %s, minimum %s', priced.id, COALESCE(charge.own, 0),
                                     priced.minimum_amount)
            FROM period JOIN catalog_charge priced ON priced.plan_id = period.plan_id
            LEFT JOIN charge ON (charge.id, charge.charge_id) = (period.id, priced.id)
            WHERE is_whole AND COALESCE(charge.own, 0) < round(priced.minimum_amount, period.digits)
              AND period.total IS DISTINCT FROM maximum
        """,
    ),
)
