"""Made-up customers by the million, to measure lists with: written by the database itself, history included."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction

from customers.models import Customer

BATCH = 50_000

FIRST_WORDS = (
    "Northern", "Blue", "Atlas", "Harbour", "Quantum", "Silver", "Maple", "Orbit", "Granite", "Velvet", "Cobalt",
    "Summit", "Willow", "Amber", "Delta", "Falcon", "Juniper", "Lunar", "Onyx", "Prairie",
)  # fmt: skip
SECOND_WORDS = (
    "Systems", "Robotics", "Foods", "Logistics", "Analytics", "Health", "Energy", "Labs", "Media", "Travel", "Games",
    "Finance", "Textiles", "Software", "Farming", "Optics", "Tools", "Cinema", "Bikes", "Coffee",
)  # fmt: skip

# Version 7 ids: the milliseconds of the creation first, so that they sort like real ones.
INSERT = """
    INSERT INTO customers_customer
        (id, name, email, external_id, tier, currency, timezone, legal_name, tax_id, address_line1, address_line2,
         address_city, address_state, address_zip, address_country, billing_email, billing_phone,
         remittance_instructions, payment_provider, billing_mode, net_payment_term_days, invoice_grace_days,
         associated_domains, storefront_url, metadata, suspension_reason, suspended_at, deactivated_at, created_at,
         updated_at)
    SELECT (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7' || substr(digits, 1, 3) || 'a'
            || substr(digits, 4, 15))::uuid,
           (%(first)s::text[])[1 + number %% 20] || ' ' || (%(second)s::text[])[1 + number / 20 %% 20] || ' ' || number,
           'billing@' || lower((%(first)s::text[])[1 + number %% 20]) || '-' || number || '.example', 'crm-' || number,
           CASE WHEN number %% 1000 = 0 THEN 'enterprise' WHEN number %% 20 = 0 THEN 'startup'
                WHEN number %% 5 = 0 THEN 'developer' ELSE 'free' END,
           'USD', 'UTC', '', '', '', '', '', '', '', '', '', '', '', 'manual', 'POSTPAID', 30, 0, '{}', '',
           jsonb_build_object('region', (ARRAY['EMEA', 'APAC', 'NCR'])[1 + number %% 3], 'account', number), '',
           CASE WHEN number %% 400 = 0 THEN made END, CASE WHEN number %% 300 = 1 THEN made END, made, made
    FROM (
        SELECT number, now() - make_interval(secs => 90000000 - number * (90000000.0 / %(last)s)) AS made,
               md5('customer ' || number) AS digits
        FROM generate_series(%(from)s::int, %(to)s::int) AS number
    ) AS numbered
"""


def seed_customers(count: int) -> Iterator[int]:
    """Add ``count`` customers, yield how many there are after each batch, and let the planner know of them."""
    first = Customer.objects.filter(external_id__startswith="crm-").count() + 1
    last = first + count - 1
    for start in range(first, last + 1, BATCH):
        end = min(start + BATCH - 1, last)
        with transaction.atomic(), connection.cursor() as cursor:
            words = {"first": list(FIRST_WORDS), "second": list(SECOND_WORDS)}
            cursor.execute(INSERT, {**words, "from": start, "to": end, "last": last})
            cursor.execute(_history(), [start, end])
        yield end - first + 1
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")


def _history() -> str:
    """Return the statement that writes the history row of every customer of a batch."""
    history = Customer.history.model._meta
    own = {field.column for field in Customer._meta.concrete_fields}
    kept = ", ".join(field.column for field in history.concrete_fields if field.column in own)
    return f"""
        INSERT INTO {history.db_table}
            ({kept}, history_date, history_type, history_change_reason, history_actor)
        SELECT {kept}, created_at, '+', '', 'command seed_scale' FROM customers_customer
        WHERE external_id = ANY(SELECT 'crm-' || number FROM generate_series(%s::int, %s::int) AS number)
    """  # noqa: S608 - only names of our own columns are filled in.
