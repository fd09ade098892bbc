"""Stored Stripe customers that are not linked to a person."""

from collections.abc import Collection
from typing import Any

import msgspec
from django.db import connection

from common.postgres import lower_ascii_sql

Json = dict[str, Any]

_WITHOUT_LINK = """
FROM djstripe_customer
WHERE NOT EXISTS (SELECT FROM billing_stripecustomer WHERE customer_id = djstripe_customer.id)
"""
_ADDRESS = lower_ascii_sql("stripe_data ->> 'email'")
_UNLINKED = f"""
{_WITHOUT_LINK} AND NOT coalesce((stripe_data -> 'deleted')::bool, false)
AND NOT EXISTS (SELECT FROM billing_erasedcustomer WHERE customer_id = djstripe_customer.id)
"""


def unlinked_customers(at_most: int) -> list[Json]:
    """Return the newest customers that are not linked, as stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT stripe_data::text {_UNLINKED} ORDER BY created DESC NULLS LAST, id LIMIT %s",
            [at_most],
        )
        return [msgspec.json.decode(text) for (text,) in cursor.fetchall()]


def unlinked_of(distinct_ids: Collection[str], emails: Collection[str]) -> list[str]:
    """Return customers whose metadata names one of the ids, or with one of the addresses.

    The addresses are in lower case.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id {_WITHOUT_LINK} AND (stripe_data -> 'metadata' ->> 'distinct_id' = ANY(%s)"
            f" OR {_ADDRESS} = ANY(%s)) ORDER BY id",
            [list(distinct_ids), list(emails)],
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]


def count_unlinked() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_UNLINKED}")
        return int(cursor.fetchone()[0])


def client_references(customer_ids: Collection[str]) -> list[tuple[str, str]]:
    """Return customers with the `client_reference_id` of their checkout sessions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT customer_id, stripe_data ->> 'client_reference_id'"
            " FROM djstripe_session WHERE customer_id = ANY(%s)"
            " AND stripe_data ->> 'client_reference_id' <> '' ORDER BY 1, 2",
            [list(customer_ids)],
        )
        return list(cursor.fetchall())
