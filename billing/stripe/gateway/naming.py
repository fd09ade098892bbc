"""Which persons the stored objects of Stripe customers name, where that is not their link yet.

Two kinds of proof: a distinct id in the metadata, which only the company's code sets, of the
customer, else of its subscriptions, else of its checkout sessions; and a proved e-mail address
that no buyer entered.
"""

from collections.abc import Collection

from django.db import connection

from billing.stripe.gateway.calls import every, is_set_up
from billing.stripe.gateway.refreshing import keep, moment
from common.postgres import lower_ascii_sql

_METADATA = "stripe_data -> 'metadata' ->> 'distinct_id'"
_NAMED = f"""
SELECT id AS customer_id, {_METADATA} AS distinct_id, 0 AS rank, created
FROM djstripe_customer WHERE {_METADATA} IS NOT NULL
UNION ALL
SELECT customer_id, {_METADATA}, 1, created
FROM djstripe_subscription WHERE {_METADATA} IS NOT NULL
UNION ALL
SELECT customer_id, {_METADATA}, 2, created
FROM djstripe_session WHERE {_METADATA} IS NOT NULL AND customer_id IS NOT NULL
"""  # `IS NOT NULL` is the condition of the indexes
_NOT_ERASED = "NOT EXISTS (SELECT FROM billing_erasedcustomer WHERE customer_id = {customer})"
# Staff's links stay. The customer's own metadata replaces any other, all metadata an address.
_BY_METADATA = f"""
SELECT DISTINCT ON (named.customer_id) named.customer_id, named.distinct_id
FROM ({_NAMED}) AS named
JOIN analytics_distinctid AS named_id ON named_id.distinct_id = named.distinct_id
LEFT JOIN billing_stripecustomer AS link ON link.customer_id = named.customer_id
LEFT JOIN analytics_distinctid AS linked_id ON linked_id.distinct_id = link.distinct_id
WHERE (link.customer_id IS NULL OR (
    link.proof <> 'staff' AND linked_id.person_id <> named_id.person_id
    AND (named.rank = 0 OR link.proof = 'email')
))
AND {_NOT_ERASED.format(customer="named.customer_id")}
AND NOT EXISTS (
    SELECT FROM billing_refusedlink AS refused
    JOIN analytics_distinctid AS refused_id ON refused_id.distinct_id = refused.distinct_id
    WHERE refused.customer_id = named.customer_id AND refused_id.person_id = named_id.person_id
)
{{condition}}
ORDER BY named.customer_id, named.rank, named.created, named.distinct_id
"""
_LINK = f"""
INSERT INTO billing_stripecustomer AS kept (customer_id, distinct_id, proof)
SELECT customer_id, distinct_id, 'metadata' FROM ({_BY_METADATA}) AS named_now
ON CONFLICT (customer_id) DO UPDATE SET distinct_id = EXCLUDED.distinct_id, proof = EXCLUDED.proof
WHERE kept.proof <> 'staff'
RETURNING customer_id
"""
# A buyer entered the address: the checkout created the customer. Otherwise the company's code did.
_ENTERED = """
EXISTS (
    SELECT FROM djstripe_session AS session WHERE session.customer_id = customer.id
    AND (session.stripe_data ->> 'customer_creation' <> '' OR session.created < customer.created)
)
"""
_BY_ADDRESS = f"""
SELECT DISTINCT customer.id, customer.stripe_data ->> 'email'
FROM djstripe_customer AS customer
JOIN analytics_person AS person
    ON {lower_ascii_sql("person.proved ->> 'email'")}
        = {lower_ascii_sql("customer.stripe_data ->> 'email'")}
WHERE NOT EXISTS (SELECT FROM billing_stripecustomer WHERE customer_id = customer.id)
AND NOT coalesce((customer.stripe_data -> 'deleted')::bool, false)
AND {_NOT_ERASED.format(customer="customer.id")}
AND coalesce(customer.{_METADATA}, '') = ''
AND NOT EXISTS (
    SELECT FROM djstripe_subscription WHERE customer_id = customer.id AND {_METADATA} <> ''
)
AND NOT EXISTS (
    SELECT FROM djstripe_session WHERE customer_id = customer.id AND {_METADATA} <> ''
)
AND NOT {_ENTERED}
{{condition}}
ORDER BY 1
"""
_LINKED_BY_ENTERED = f"""
SELECT customer.id FROM djstripe_customer AS customer
JOIN billing_stripecustomer AS link ON link.customer_id = customer.id AND link.proof = 'email'
WHERE {_ENTERED} {{condition}}
ORDER BY 1
"""


def named_by_metadata(
    *, customer_ids: Collection[str] | None = None, distinct_ids: Collection[str] | None = None
) -> list[tuple[str, str]]:
    """Return customers with the distinct id of the person that their metadata names.

    Without those whose link is right, erased, or refused; of some customers or ids, or of all.
    """
    conditions = []
    if customer_ids is not None:
        conditions.append("AND named.customer_id = ANY(%(customer_ids)s)")
    if distinct_ids is not None:
        conditions.append("AND named.distinct_id = ANY(%(distinct_ids)s)")
    values = {"customer_ids": list(customer_ids or ()), "distinct_ids": list(distinct_ids or ())}
    with connection.cursor() as cursor:
        cursor.execute(_BY_METADATA.format(condition=" ".join(conditions)), values)
        return list(cursor.fetchall())


def link_named(customer_ids: Collection[str]) -> set[str]:
    """Link those of some customers that `named_by_metadata` returns now; return their ids."""
    query = _LINK.format(condition="AND named.customer_id = ANY(%(customer_ids)s)")
    with connection.cursor() as cursor:
        cursor.execute(query, {"customer_ids": list(customer_ids)})
        return {customer_id for (customer_id,) in cursor.fetchall()}


def named_by_address(*, customer_ids: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Return unlinked customers, which nothing else names, with an address that is proved.

    Without those whose address a buyer entered, as far as the stored checkout sessions say.
    """
    return _of_customers(_BY_ADDRESS, customer_ids)


def linked_by_entered_address(*, customer_ids: Collection[str] | None = None) -> list[str]:
    """Return customers that are linked by an address that a buyer entered."""
    return [customer_id for (customer_id,) in _of_customers(_LINKED_BY_ENTERED, customer_ids)]


def has_entered_address(customer_id: str) -> bool:
    """Return whether a buyer entered a customer's address, after asking Stripe for its sessions."""
    as_of = moment()
    for session in every("checkout.session", customer=customer_id) if is_set_up() else ():
        keep(session, as_of=as_of)
    query = f"SELECT FROM djstripe_customer AS customer WHERE id = %s AND {_ENTERED}"
    with connection.cursor() as cursor:
        cursor.execute(query, [customer_id])
        return cursor.fetchone() is not None


def _of_customers(query: str, customer_ids: Collection[str] | None) -> list[tuple]:
    condition = "" if customer_ids is None else "AND customer.id = ANY(%(customer_ids)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            query.format(condition=condition), {"customer_ids": list(customer_ids or ())}
        )
        return list(cursor.fetchall())
