"""Hands in the books: for every invariant, changes past all triggers that break it and nothing else."""

from __future__ import annotations

from tests.billing.changes import CHANGES, Sabotage
from tests.billing.line_sabotages import LINE_SABOTAGES

#: An event type that no plan charges, so that its events stand in no metric's roll-up.
UNCHARGED = "ping"


_LAST_ENTRY = "(wallet_id, number) IN (SELECT wallet_id, max(number) FROM billing_ledgerentry GROUP BY 1)"
_OWN_EVENT = f"SELECT id FROM billing_usageevent WHERE type = '{UNCHARGED}' AND subscription_id IS NULL LIMIT 1"
_COUNTER = "billing_documentcounter"
_SERIES = "series || '-' || year"
_NOBODY = "'00000000-0000-7000-8000-000000000001'"
_LATER = "starts_at > (SELECT min(starts_at) FROM billing_billedperiod)"

_SUBSCRIBER = "(SELECT min(customer_id::text)::uuid FROM customers_subscription)"


def _left_by_a_purge(table: str, *before: str) -> Sabotage:
    """Finish the purge of a customer with usage while rows of ``table`` are left, and of no other."""
    others = {"billing_usageevent", "billing_usagehour", "billing_metrichour"} - {table}
    return Sabotage(
        what=f"{table} has rows",
        prefix="cust",
        before=[*(f"DELETE FROM {one} WHERE customer_id = {_SUBSCRIBER}" for one in sorted(others)), *before],
        sql="INSERT INTO billing_usagepurge (customer_id, requested_at, finished_at, events) "
        f"SELECT {_SUBSCRIBER}, now(), now(), 0 RETURNING customer_id",
    )


SABOTAGES: dict[str, tuple[Sabotage, ...]] = {
    "wallet_equals_lots": (
        Sabotage(
            what="a lot holds less",
            prefix="wal",
            sql="UPDATE billing_walletlot SET remaining = remaining - 0.000000000001 RETURNING wallet_id",
        ),
        Sabotage(what="a lot is gone", prefix="wal", sql="DELETE FROM billing_walletlot RETURNING wallet_id"),
    ),
    "wallet_equals_ledger": (
        Sabotage(
            what="more was funded than is there",
            prefix="wal",
            sql="UPDATE billing_ledgerentry SET amount = amount + 1 WHERE kind = 'fund' RETURNING wallet_id",
        ),
        Sabotage(
            what="the newest entry tells another balance",
            prefix="wal",
            sql=f"UPDATE billing_ledgerentry SET balance_after = balance_after + 1 WHERE {_LAST_ENTRY} "
            "RETURNING wallet_id",
        ),
        Sabotage(
            what="an old entry tells another balance",
            prefix="wal",
            sql="UPDATE billing_ledgerentry SET balance_after = balance_after + 1 WHERE number = 1 RETURNING wallet_id",
        ),
        Sabotage(
            what="an entry holds less than was held",
            prefix="wal",
            sql="UPDATE billing_ledgerentry SET held_after = 0 WHERE held_after > 0 RETURNING wallet_id",
        ),
    ),
    "wallet_held_equals_holds": (
        Sabotage(
            what="the wallet holds less",
            prefix="wal",
            sql="UPDATE billing_wallet SET held = held - 1 WHERE held > 0 RETURNING id",
        ),
    ),
    "ledger_has_no_gap": (
        Sabotage(
            what="an entry is gone",
            prefix="wal",
            sql=f"DELETE FROM billing_ledgerentry WHERE {_LAST_ENTRY} AND kind = 'hold' RETURNING wallet_id",
        ),
        Sabotage(
            what="an entry is numbered further on",
            prefix="wal",
            sql=f"UPDATE billing_ledgerentry SET number = number + 1 WHERE {_LAST_ENTRY} RETURNING wallet_id",
        ),
        Sabotage(
            what="the wallet counted further",
            prefix="wal",
            sql="UPDATE billing_wallet SET entry_count = entry_count + 1 RETURNING id",
        ),
    ),
    "usage_hours_equal_events": (
        Sabotage(
            what="an event is counted twice",
            prefix="cust",
            sql="UPDATE billing_usagehour SET events = events + 1 WHERE subscription_id IS NOT NULL "
            "AND id = (SELECT min(id::text)::uuid FROM billing_usagehour WHERE subscription_id IS NOT NULL) "
            "RETURNING customer_id",
        ),
        Sabotage(
            what="an hour is rolled up for another subscriber",
            prefix="cust",
            sql=f"UPDATE billing_usagehour SET subscriber_id = {_NOBODY} WHERE id = (SELECT min(id::text)::uuid "
            "FROM billing_usagehour) RETURNING customer_id",
        ),
        Sabotage(
            what="an hour of nobody's usage is gone",
            prefix="cust",
            sql="DELETE FROM billing_usagehour WHERE subscription_id IS NULL RETURNING customer_id",
        ),
        Sabotage(
            what="an event without charge is gone",
            prefix="cust",
            sql=f"DELETE FROM billing_usageevent WHERE id = ({_OWN_EVENT}) RETURNING customer_id",
        ),
    ),
    "metric_hours_equal_events": (
        Sabotage(
            what="more events are rolled up than came",
            prefix="sub",
            sql="UPDATE billing_metrichour SET events = events + 1 "
            "WHERE id = (SELECT min(id::text)::uuid FROM billing_metrichour) RETURNING subscription_id",
        ),
        Sabotage(
            what="a greater maximum is rolled up than came",
            prefix="sub",
            sql="UPDATE billing_metrichour SET maximum = maximum + 1000000 "
            "WHERE id = (SELECT min(id::text)::uuid FROM billing_metrichour) RETURNING subscription_id",
        ),
        Sabotage(
            what="units are rolled up for another model",
            prefix="sub",
            sql="UPDATE billing_metrichour SET model = 'another' "
            "WHERE id = (SELECT min(id::text)::uuid FROM billing_metrichour) RETURNING subscription_id",
        ),
        Sabotage(
            what="units are rolled up for another subscriber",
            prefix="sub",
            sql=f"UPDATE billing_metrichour SET subscriber_id = {_NOBODY} "
            "WHERE id = (SELECT min(id::text)::uuid FROM billing_metrichour) RETURNING subscription_id",
        ),
        Sabotage(
            what="more units are rolled up than came",
            prefix="sub",
            sql="UPDATE billing_metrichour SET total = total + 1 "
            "WHERE id = (SELECT min(id::text)::uuid FROM billing_metrichour) RETURNING subscription_id",
        ),
        Sabotage(
            what="an hour of units is gone",
            prefix="sub",
            sql="DELETE FROM billing_metrichour "
            "WHERE id = (SELECT min(id::text)::uuid FROM billing_metrichour) RETURNING subscription_id",
        ),
        Sabotage(
            what="an event carries other units",
            prefix="sub",
            sql="UPDATE billing_usageevent SET properties = '{\"tokens\": 99999}' WHERE id = (SELECT id "
            "FROM billing_usageevent WHERE properties ? 'tokens' AND subscription_id IS NOT NULL LIMIT 1) "
            "RETURNING subscription_id",
        ),
    ),
    "events_have_owners": (
        Sabotage(
            what="its customer is unknown",
            before=[f"UPDATE billing_usagehour SET customer_id = {_NOBODY} WHERE subscription_id IS NULL"],
            sql=f"UPDATE billing_usageevent SET customer_id = {_NOBODY} WHERE id = ({_OWN_EVENT}) RETURNING id",
        ),
        Sabotage(
            what="its subscription is unknown",
            before=[f"UPDATE billing_usagehour SET subscription_id = {_NOBODY} WHERE subscription_id IS NULL"],
            sql=f"UPDATE billing_usageevent SET subscription_id = {_NOBODY} WHERE id = ({_OWN_EVENT}) RETURNING id",
        ),
        Sabotage(
            what="its subscriber is unknown",
            before=[f"UPDATE billing_usagehour SET subscriber_id = {_NOBODY} WHERE subscription_id IS NULL"],
            sql=f"UPDATE billing_usageevent SET subscriber_id = {_NOBODY} WHERE id = ({_OWN_EVENT}) RETURNING id",
        ),
        Sabotage(
            what="its credential is gone",
            before=["DELETE FROM credentials_credential WHERE id IN (SELECT credential_id FROM billing_usageevent)"],
            # Nothing more is changed; the statement only tells which event that was.
            sql="UPDATE billing_usageevent SET type = type WHERE credential_id IS NOT NULL RETURNING id",
        ),
    ),
    "purged_usage_is_gone": (
        _left_by_a_purge("billing_usageevent"),
        _left_by_a_purge("billing_usagehour"),
        _left_by_a_purge("billing_metrichour"),
        _left_by_a_purge(
            "billing_lateusage",
            "INSERT INTO billing_lateusage (subscription_id, hour) "
            f"SELECT id, starts_at FROM customers_subscription WHERE customer_id = {_SUBSCRIBER}",
        ),
    ),
    "invoice_equals_lines": (
        Sabotage(
            what="a line of a draft costs more",
            prefix="inv",
            sql="UPDATE billing_invoiceline SET amount = amount + 1 WHERE position = 1 AND invoice_id IN "
            "(SELECT id FROM billing_invoice WHERE status = 'draft') RETURNING invoice_id",
        ),
        Sabotage(
            what="a draft lost its lines",
            prefix="inv",
            sql="DELETE FROM billing_invoiceline WHERE invoice_id IN "
            "(SELECT id FROM billing_invoice WHERE status = 'draft') RETURNING invoice_id",
        ),
    ),
    "invoice_paid_equals_payments": (
        Sabotage(what="a payment is gone", prefix="inv", sql="DELETE FROM billing_payment RETURNING invoice_id"),
    ),
    "numbers_have_no_gap": (
        Sabotage(
            what="a number was skipped", sql=f"UPDATE billing_documentcounter SET last = last + 1 RETURNING {_SERIES}"
        ),
        Sabotage(
            what="a number is given again",
            sql=f"UPDATE billing_documentcounter SET last = last - 1 RETURNING {_SERIES}",
        ),
        Sabotage(what="the counter is gone", sql=f"DELETE FROM {_COUNTER} RETURNING {_SERIES}"),
    ),
    "periods_follow_each_other": (
        Sabotage(
            what="there is time between two periods",
            prefix="bper",
            sql="UPDATE billing_billedperiod SET starts_at = starts_at + interval '1 hour' "
            f"WHERE {_LATER} RETURNING id",
        ),
        Sabotage(
            what="the first begins after its subscription",
            prefix="bper",
            sql="UPDATE billing_billedperiod SET starts_at = starts_at + interval '1 hour' WHERE id = "
            "(SELECT id FROM billing_billedperiod ORDER BY starts_at, id LIMIT 1) RETURNING id",
        ),
    ),
    "cursors_stand_behind_periods": (
        Sabotage(
            what="the cursor is gone",
            prefix="sub",
            sql="DELETE FROM billing_billingcursor RETURNING subscription_id",
        ),
        Sabotage(
            what="the cursor ran ahead",
            prefix="sub",
            sql="UPDATE billing_billingcursor SET billed_until = billed_until + interval '1 day' "
            "WHERE subscription_id IN (SELECT subscription_id FROM billing_billedperiod) RETURNING subscription_id",
        ),
    ),
    "plans_follow_each_other": tuple(
        Sabotage(
            what=what,
            prefix="sub",
            before=[f"UPDATE customers_historicalsubscription SET {change} WHERE terminated_at IS NOT NULL"],
            sql=f"UPDATE customers_subscription SET {change} WHERE terminated_at IS NOT NULL RETURNING id",
        )
        for what, change in {
            "time is left between the two": "terminated_at = terminated_at - interval '1 second'",
            "the one goes on beside the other": "terminated_at = NULL",
            "its planned end is another": "ends_at = terminated_at + interval '1 second', terminated_at = NULL",
        }.items()
    ),
    "keys_have_digests": (
        Sabotage(
            what="a credential has none",
            before=["ALTER TABLE credentials_credential DROP CONSTRAINT credential_in_use_has_a_digest"],
            sql="UPDATE credentials_credential SET digest = NULL RETURNING id",
        ),
        Sabotage(
            what="an operator key has none",
            before=["ALTER TABLE credentials_operatorkey DROP CONSTRAINT operator_key_in_use_has_a_digest"],
            sql="UPDATE credentials_operatorkey SET digest = NULL RETURNING id",
        ),
    ),
    "finalized_invoices_unchanged": (
        Sabotage(
            what="a line reads differently",
            prefix="inv",
            sql="UPDATE billing_invoiceline SET description = 'Something else' WHERE position = 1 AND invoice_id IN "
            "(SELECT id FROM billing_invoice WHERE status = 'finalized') RETURNING invoice_id",
        ),
        Sabotage(
            what="its hash is another's",
            prefix="inv",
            before=[
                "UPDATE billing_historicalinvoice SET content_hash = repeat('0', 64) WHERE status = 'finalized'",
            ],
            sql="UPDATE billing_invoice SET content_hash = repeat('0', 64) WHERE status = 'finalized' RETURNING id",
        ),
    ),
    **LINE_SABOTAGES,
}

for _model, (_table, _change, _prefix) in CHANGES.items():
    _app = _table.partition("_")[0]
    SABOTAGES[f"{_model}_equals_its_history"] = (
        Sabotage(what="the row changed alone", prefix=_prefix, sql=f"UPDATE {_table} SET {_change} RETURNING id"),
        Sabotage(what="its history is gone", prefix=_prefix, sql=f"DELETE FROM {_app}_historical{_model} RETURNING id"),
    )
