"""Stored refunds and disputes with their charges."""

from collections.abc import Collection, Iterator

import msgspec
from django.db import connection

from billing.calculations.cash import Returned

_decode = msgspec.json.Decoder(dict).decode
_CHARGE = "coalesce(stripe_data #>> '{charge,id}', stripe_data ->> 'charge')"  # expanded or not

_RETURNED = f"""
SELECT returned.stripe_data::text, charge.stripe_data::text, closed_at
FROM (
    SELECT stripe_data, charge_id, NULL::bigint AS closed_at FROM djstripe_refund
    UNION ALL
    SELECT stripe_data, {_CHARGE}, (
        SELECT extract(epoch FROM min(happened_at))::bigint FROM billing_stripeevent
        WHERE object_id = djstripe_dispute.id AND type = 'charge.dispute.closed'
        AND state = 'applied'
    ) FROM djstripe_dispute
) AS returned
LEFT JOIN djstripe_charge charge ON charge.id = charge_id
"""
_OF_SOME = f"""
{_RETURNED} WHERE charge_id = ANY(
    ARRAY(SELECT id::text FROM djstripe_charge WHERE customer_id = ANY(%s)) || %s::text[]
)
"""


def returned(
    customer_ids: Collection[str] | None = None, *, charges: Collection[str] = ()
) -> Iterator[Returned]:
    """Yield the refunds and disputes of some customers' charges and of `charges`, or all."""
    with connection.chunked_cursor() as cursor:
        if customer_ids is None:
            cursor.execute(_RETURNED)
        else:
            cursor.execute(_OF_SOME, [list(customer_ids), list(charges)])
        for stripe_json, charge, closed_at in cursor:
            yield Returned(_decode(stripe_json), _decode(charge or "{}"), closed_at)
