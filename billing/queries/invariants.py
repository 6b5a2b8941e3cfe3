"""What must always be true of money, usage and keys, each as a query for the rows of which it is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """A sentence that is always true, and the query for the rows of which it is not: what they are called, and why."""

    name: str
    sentence: str
    sql: str
    #: The kind of id the rows are called by; empty where they have no TypeID.
    prefix: str = ""


WALLETS = (
    Invariant(
        name="wallet_equals_lots",
        prefix="wal",
        sentence="A wallet's balance is what its lots hold",
        sql="""
            SELECT wallet.id, format('balance %s, lots %s', wallet.balance, COALESCE(sum(lot.remaining), 0))
            FROM billing_wallet wallet LEFT JOIN billing_walletlot lot ON lot.wallet_id = wallet.id
            GROUP BY wallet.id HAVING wallet.balance <> COALESCE(sum(lot.remaining), 0)
        """,
    ),
    Invariant(
        name="wallet_equals_ledger",
        prefix="wal",
        sentence="A wallet's balance is the sum of its ledger, and every entry says what both were after it",
        sql="""
            SELECT wallet.id, format('balance %s, ledger %s, %s entries say otherwise', wallet.balance,
                                     COALESCE(ledger.balance, 0), COALESCE(ledger.wrong, 0))
            FROM billing_wallet wallet
            LEFT JOIN (
                SELECT wallet_id, sum(balance_change) AS balance,
                       count(*) FILTER (WHERE balance_after <> balance OR held_after <> held) AS wrong
                FROM (
                    SELECT *, sum(balance_change) OVER until_here AS balance, sum(held_change) OVER until_here AS held
                    FROM (
                        SELECT wallet_id, number, balance_after, held_after,
                               CASE kind WHEN 'fund' THEN amount WHEN 'commit' THEN -amount
                                         WHEN 'void' THEN -amount ELSE 0 END AS balance_change,
                               CASE kind WHEN 'hold' THEN amount WHEN 'commit' THEN -amount
                                         WHEN 'release' THEN -amount WHEN 'expire' THEN -amount ELSE 0 END
                                   AS held_change
                        FROM billing_ledgerentry
                    ) entry
                    WINDOW until_here AS (PARTITION BY wallet_id ORDER BY number)
                ) running
                GROUP BY wallet_id
            ) ledger ON ledger.wallet_id = wallet.id
            WHERE wallet.balance <> COALESCE(ledger.balance, 0) OR ledger.wrong > 0
        """,
    ),
    Invariant(
        name="wallet_held_equals_holds",
        prefix="wal",
        sentence="What a wallet holds is the rest of its open holds",
        sql="""
            SELECT wallet.id, format('held %s, holds %s', wallet.held, COALESCE(sum(hold.amount - hold.committed), 0))
            FROM billing_wallet wallet
            LEFT JOIN billing_hold hold ON hold.wallet_id = wallet.id AND hold.status = 'open'
            GROUP BY wallet.id HAVING wallet.held <> COALESCE(sum(hold.amount - hold.committed), 0)
        """,
    ),
    Invariant(
        name="ledger_has_no_gap",
        prefix="wal",
        sentence="A wallet's entries are numbered from 1 without a gap",
        sql="""
            SELECT wallet.id, format('%s counted, %s there, last %s', wallet.entry_count, count(entry.id),
                                     max(entry.number))
            FROM billing_wallet wallet LEFT JOIN billing_ledgerentry entry ON entry.wallet_id = wallet.id
            GROUP BY wallet.id
            HAVING wallet.entry_count <> count(entry.id) OR wallet.entry_count <> COALESCE(max(entry.number), 0)
        """,
    ),
)

USAGE = (
    Invariant(
        name="usage_hours_equal_events",
        prefix="cust",
        sentence="The hourly roll-ups count every event once, unless the customer's usage is being purged",
        sql="""
            SELECT COALESCE(events.customer_id, hours.customer_id),
                   format('type %s: %s events, %s rolled up', COALESCE(events.type, hours.type), events.n, hours.n)
            FROM (SELECT customer_id, subscription_id, credential_id, subscriber_id, type, count(*) AS n
                  FROM billing_usageevent GROUP BY 1, 2, 3, 4, 5) events
            FULL JOIN (SELECT customer_id, subscription_id, credential_id, subscriber_id, type, sum(events) AS n
                       FROM billing_usagehour GROUP BY 1, 2, 3, 4, 5) hours
              ON (events.customer_id, events.type) = (hours.customer_id, hours.type)
              AND COALESCE(events.subscription_id::text, '') = COALESCE(hours.subscription_id::text, '')
              AND COALESCE(events.credential_id::text, '') = COALESCE(hours.credential_id::text, '')
              AND COALESCE(events.subscriber_id::text, '') = COALESCE(hours.subscriber_id::text, '')
            WHERE events.n IS DISTINCT FROM hours.n
              AND NOT EXISTS (SELECT 1 FROM billing_usagepurge purge
                              WHERE purge.customer_id = COALESCE(events.customer_id, hours.customer_id))
        """,
    ),
    Invariant(
        name="metric_hours_equal_events",
        prefix="sub",
        sentence="The units rolled up for a subscription are those its events carry, unless they are being purged",
        sql="""
            SELECT COALESCE(events.subscription_id, hours.subscription_id),
                   format('metric %s: %s events of %s, maximum %s; rolled up %s of %s, maximum %s',
                          COALESCE(events.metric_id, hours.metric_id), events.n, events.units, events.maximum,
                          hours.n, hours.units, hours.maximum)
            FROM (SELECT subscription_id, credential_id, subscriber_id, metric_id, model, count(*) AS n,
                         sum(units) AS units, max(units) AS maximum
                  FROM (SELECT event.subscription_id, event.credential_id, event.subscriber_id, metric.id AS metric_id,
                               CASE jsonb_typeof(event.properties -> 'model') WHEN 'string'
                                   THEN left(event.properties ->> 'model', 255) ELSE '' END AS model,
                               CASE WHEN metric.aggregation IN ('COUNT', 'UNIQUE_COUNT') THEN 1
                                   ELSE (event.properties ->> metric.property)::numeric END AS units
                        FROM billing_usageevent event
                        JOIN customers_subscription subscription ON subscription.id = event.subscription_id
                        JOIN catalog_metric metric ON metric.event_type = event.type
                         AND EXISTS (SELECT 1 FROM catalog_charge charge
                                     WHERE charge.plan_id = subscription.plan_id AND charge.metric_id = metric.id)
                        WHERE metric.aggregation = 'COUNT' OR event.properties ->> metric.property IS NOT NULL
                       ) counted
                  GROUP BY 1, 2, 3, 4, 5) events
            FULL JOIN (SELECT subscription_id, credential_id, subscriber_id, metric_id, model, sum(events) AS n,
                              sum(total) AS units, max(maximum) AS maximum
                       FROM billing_metrichour GROUP BY 1, 2, 3, 4, 5) hours
              ON (events.subscription_id, events.metric_id, events.model)
               = (hours.subscription_id, hours.metric_id, hours.model)
              AND COALESCE(events.credential_id::text, '') = COALESCE(hours.credential_id::text, '')
              AND COALESCE(events.subscriber_id::text, '') = COALESCE(hours.subscriber_id::text, '')
            WHERE (events.n, events.units, events.maximum) IS DISTINCT FROM (hours.n, hours.units, hours.maximum)
              AND NOT EXISTS (SELECT 1 FROM billing_usagepurge purge
                              JOIN customers_subscription purged ON purged.customer_id = purge.customer_id
                              WHERE purged.id = COALESCE(events.subscription_id, hours.subscription_id))
        """,
    ),
    Invariant(
        name="events_have_owners",
        sentence="Every event belongs to a customer, subscription, credential and subscriber that exist",
        sql="""
            SELECT event.id, format('transaction %s', event.transaction_id) FROM billing_usageevent event
            WHERE NOT EXISTS (SELECT 1 FROM customers_customer owner WHERE owner.id = event.customer_id)
               OR event.subscription_id IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM customers_subscription owner WHERE owner.id = event.subscription_id)
               OR event.credential_id IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM credentials_credential owner WHERE owner.id = event.credential_id)
               OR event.subscriber_id IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM customers_subscriber owner WHERE owner.id = event.subscriber_id)
        """,
    ),
    # While a purge runs, events go before what they were rolled up to; the two above leave its customer out for good.
    Invariant(
        name="purged_usage_is_gone",
        prefix="cust",
        sentence="Nothing is left of the usage of a customer whose purge is finished",
        sql="""
            SELECT purge.customer_id, format('purged at %s', purge.finished_at) FROM billing_usagepurge purge
            WHERE purge.finished_at IS NOT NULL AND (
                EXISTS (SELECT 1 FROM billing_usageevent event WHERE event.customer_id = purge.customer_id)
                OR EXISTS (SELECT 1 FROM billing_usagehour hour WHERE hour.customer_id = purge.customer_id)
                OR EXISTS (SELECT 1 FROM billing_metrichour hour WHERE hour.customer_id = purge.customer_id)
                OR EXISTS (SELECT 1 FROM billing_lateusage late
                           JOIN customers_subscription purged ON purged.id = late.subscription_id
                           WHERE purged.customer_id = purge.customer_id))
        """,
    ),
)

INVOICES = (
    Invariant(
        name="invoice_equals_lines",
        prefix="inv",
        sentence="An invoice's total is the sum of its lines",
        sql="""
            SELECT invoice.id, format('total %s, lines %s', invoice.total, COALESCE(sum(line.amount), 0))
            FROM billing_invoice invoice LEFT JOIN billing_invoiceline line ON line.invoice_id = invoice.id
            GROUP BY invoice.id HAVING invoice.total <> COALESCE(sum(line.amount), 0)
        """,
    ),
    Invariant(
        name="invoice_paid_equals_payments",
        prefix="inv",
        sentence="What is paid on an invoice is what its payments applied",
        sql="""
            SELECT invoice.id, format('paid %s, payments %s', invoice.amount_paid, COALESCE(sum(payment.applied), 0))
            FROM billing_invoice invoice LEFT JOIN billing_payment payment ON payment.invoice_id = invoice.id
            GROUP BY invoice.id HAVING invoice.amount_paid <> COALESCE(sum(payment.applied), 0)
        """,
    ),
    Invariant(
        name="numbers_have_no_gap",
        sentence="Document numbers of a year run from 1 without gap or twin",
        sql="""
            SELECT COALESCE(counter.series, given.series) || '-' || COALESCE(counter.year, given.year),
                   format('last %s, %s given, highest %s', counter.last, given.n, given.highest)
            FROM billing_documentcounter counter
            FULL JOIN (
                SELECT split_part(number, '-', 1) AS series, split_part(number, '-', 2)::int AS year, count(*) AS n,
                       max(split_part(number, '-', 3)::int) AS highest
                FROM billing_invoice WHERE number IS NOT NULL GROUP BY 1, 2
            ) given ON (given.series, given.year) = (counter.series, counter.year)
            WHERE COALESCE(counter.last, 0) <> COALESCE(given.n, 0)
               OR COALESCE(counter.last, 0) <> COALESCE(given.highest, 0)
        """,
    ),
    Invariant(
        name="periods_follow_each_other",
        prefix="bper",
        sentence="A subscription's billed periods begin when it is to be billed and leave no gap",
        sql="""
            SELECT period.id, format('begins %s, the one before ends %s', period.starts_at, period.previous)
            FROM (SELECT billed.id, billed.starts_at,
                         COALESCE(lag(billed.ends_at) OVER (PARTITION BY billed.subscription_id
                                                            ORDER BY billed.starts_at),
                                  subscription.bill_from, subscription.starts_at) AS previous
                  FROM billing_billedperiod billed
                  JOIN customers_subscription subscription ON subscription.id = billed.subscription_id) period
            WHERE period.starts_at <> period.previous
        """,
    ),
    Invariant(
        name="cursors_stand_behind_periods",
        prefix="sub",
        sentence="A subscription is billed until its last billed period ends",
        sql="""
            SELECT subscription.id,
                   format('billed until %s, last period ends %s', cursor.billed_until, last.ends)
            FROM customers_subscription subscription
            LEFT JOIN billing_billingcursor cursor ON cursor.subscription_id = subscription.id
            CROSS JOIN LATERAL (SELECT max(ends_at) AS ends FROM billing_billedperiod
                                WHERE subscription_id = subscription.id) last
            WHERE cursor.billed_until
                  IS DISTINCT FROM COALESCE(last.ends, subscription.bill_from, subscription.starts_at)
        """,
    ),
)

SUBSCRIPTIONS = (
    Invariant(
        name="plans_follow_each_other",
        prefix="sub",
        sentence="After a change of plan a subscription ends exactly where the one that follows it begins",
        sql="""
            SELECT earlier.id, format('ends %s, followed from %s', COALESCE(earlier.terminated_at, earlier.ends_at),
                                      follower.starts_at)
            FROM customers_subscription earlier
            JOIN customers_subscription follower ON follower.previous_id = earlier.id AND follower.canceled_at IS NULL
            WHERE COALESCE(earlier.terminated_at, earlier.ends_at) IS DISTINCT FROM follower.starts_at
               OR earlier.canceled_at IS NOT NULL OR earlier.customer_id <> follower.customer_id
        """,
    ),
)

KEYS = (
    Invariant(
        name="keys_have_digests",
        sentence="A key that lets somebody in has a digest",
        sql="""
            SELECT id::text, name FROM credentials_credential WHERE digest IS NULL AND revoked_at IS NULL
            UNION ALL SELECT id::text, name FROM credentials_operatorkey WHERE digest IS NULL AND revoked_at IS NULL
        """,
    ),
)
