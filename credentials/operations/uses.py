"""Uses of secrets: write down when each was used last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from config.kernel.ids import TypeID
from credentials.models import Credential, OperatorKey

KEYED: dict[str, type[Credential] | type[OperatorKey]] = {"key": Credential, "opk": OperatorKey}

#: A use is no change of the credential and stands in no history. The rows are locked in the order in which handlers
#: lock those they revoke, so that neither waits for the other in a circle.
RECORD = """
    WITH used AS (
        SELECT one.id, GREATEST(one.last_used_at, noted.at) AS at
        FROM {table} AS one JOIN unnest(%s::uuid[], %s::timestamptz[]) AS noted (id, at) ON noted.id = one.id
        WHERE one.last_used_at IS NULL OR one.last_used_at < noted.at
        ORDER BY one.created_at DESC, one.id DESC
        FOR NO KEY UPDATE OF one
    )
    UPDATE {table} AS one SET last_used_at = used.at FROM used WHERE used.id = one.id
"""


@transaction.atomic
def record_uses(noted: Mapping[TypeID, datetime]) -> int:
    """
    Write down when the credentials and operator keys were used last and return how many rows that changed.

    A moment before the one that a row has already, and an id that is none of theirs, change nothing.
    """
    written = 0
    for prefix, model in KEYED.items():
        ids = sorted(one for one in noted if one.prefix == prefix)
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(RECORD.format(table=table), [[one.uuid for one in ids], [noted[one] for one in ids]])
            written += cursor.rowcount
    return written
