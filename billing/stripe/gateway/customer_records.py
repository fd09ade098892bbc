"""What is stored about the discounts of customers."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import msgspec
from django.db import connection

from billing.calculations.versions.customer_discounts import CustomerRecord
from billing.models import StripeEventState

_decode = msgspec.json.Decoder(dict).decode

_EVENTS = """
FROM billing_stripeevent
WHERE customer_id = ANY(%(customers)s) AND state = %(applied)s AND (
    type IN ('customer.created', 'customer.updated', 'customer.deleted')
    OR type LIKE 'customer.discount.%%'
)
"""
# Most customers never had a discount: of those nothing else is read.
_WITH_DISCOUNTS = f"""
SELECT id FROM djstripe_customer
WHERE id = ANY(%(customers)s) AND jsonb_typeof(stripe_data -> 'discount') = 'object'
UNION
SELECT customer_id {_EVENTS} AND (
    type LIKE 'customer.discount.%%'
    OR jsonb_typeof(payload #> '{{data,object,discount}}') = 'object'
    OR payload #> '{{data,previous_attributes}}' ? 'discount'
)
"""
_OBJECTS = """
SELECT id, stripe_data::text, extract(epoch FROM djstripe_updated)::float8
FROM djstripe_customer WHERE id = ANY(%(customers)s)
"""


def customer_records(customer_ids: Collection[str]) -> dict[str, CustomerRecord]:
    """Return what is stored of those of the customers that have or had a discount of their own."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "customers": list(customer_ids),
            "applied": StripeEventState.APPLIED,
        }
        cursor.execute(_WITH_DISCOUNTS, values)
        values["customers"] = [customer_id for (customer_id,) in cursor.fetchall()]
        if not values["customers"]:
            return {}
        events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        cursor.execute(f"SELECT customer_id, payload::text {_EVENTS}", values)
        for customer_id, payload in cursor.fetchall():
            events[customer_id].append(_decode(payload))
        cursor.execute(_OBJECTS, values)
        objects = {row[0]: (_decode(row[1]), row[2]) for row in cursor.fetchall()}
    records = {}
    for customer_id in values["customers"]:
        customer, as_of = objects.get(customer_id, (None, 0.0))
        records[customer_id] = CustomerRecord(customer, as_of, events[customer_id])
    return records
