"""Checkout sessions that name a person."""

from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

Json = dict[str, Any]

_OF_PERSON = """
FROM djstripe_session
JOIN analytics_distinctid ON distinct_id = stripe_data -> 'metadata' ->> 'distinct_id'
WHERE person_id = %s
"""


def open_sessions_of(person_id: int, *, now: datetime) -> list[Json]:
    """Return a person's sessions that can still be paid, as stored, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT stripe_data::text {_OF_PERSON} AND stripe_data ->> 'status' = 'open'"
            " AND (stripe_data ->> 'expires_at')::bigint > %s ORDER BY created DESC, id DESC",
            [person_id, int(now.timestamp())],
        )
        return [msgspec.json.decode(text) for (text,) in cursor.fetchall()]


def count_sessions_of(person_id: int) -> int:
    """Return how many sessions a person has had."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_OF_PERSON}", [person_id])
        return int(cursor.fetchone()[0])
