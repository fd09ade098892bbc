"""Stripe's objects in dj-stripe's tables: `stripe_data` is Stripe's JSON, unchanged.

An object that is not stored but referred to has a placeholder, with nothing but its id.
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from djstripe.models import (
    Charge,
    Coupon,
    Customer,
    Discount,
    Dispute,
    Invoice,
    Price,
    Product,
    Refund,
    Session,
    StripeModel,
    Subscription,
)

Json = dict[str, Any]

# Each kind comes after those it refers to; rows are locked in this order.
KINDS: dict[str, type[StripeModel]] = {
    "product": Product,
    "price": Price,
    "coupon": Coupon,
    "customer": Customer,
    "discount": Discount,
    "subscription": Subscription,
    "charge": Charge,
    "invoice": Invoice,
    "refund": Refund,
    "dispute": Dispute,
    "checkout.session": Session,
}
KIND_OF = {model: kind for kind, model in KINDS.items()}


def stored(kind: str, object_id: str) -> Json | None:
    """Return a stored object; None if it is not stored, or only a placeholder."""
    return stored_of(kind, [object_id]).get(object_id)


def stored_of(kind: str, object_ids: Collection[str]) -> dict[str, Json]:
    """Return the stored ones of some objects by id, without placeholders."""
    rows = KINDS[kind].objects.filter(id__in=object_ids).values_list("id", "stripe_data")
    return {object_id: row for object_id, row in rows.iterator() if not is_placeholder(row)}


def stored_ids(kind: str) -> set[str]:
    """Return the ids of the stored objects of a kind that are not deleted."""
    rows = KINDS[kind].objects.exclude(stripe_data={}).values_list("id", "stripe_data")
    return {
        object_id
        for object_id, row in rows.iterator()
        if not is_placeholder(row) and not row.get("deleted")
    }


def placeholder(kind: str, object_id: str) -> Json:
    return {"id": object_id, "object": kind}


def is_placeholder(stripe_json: Json) -> bool:
    return stripe_json.keys() == {"id", "object"}


def is_deleted(stripe_json: Json) -> bool:
    return bool(stripe_json.get("deleted"))


def ids_with_prefix(kind: str, prefix: str) -> list[str]:
    """Return the ids of the stored objects of a kind that start with a prefix."""
    return list(KINDS[kind].objects.filter(id__startswith=prefix).values_list("id", flat=True))


@transaction.atomic
def delete_prices(lookup_keys: Collection[str]) -> list[str]:
    """Delete stored prices with their products; return the prices' ids."""
    prices = Price.objects.filter(lookup_key__in=lookup_keys)
    price_ids = list(prices.values_list("id", flat=True))
    product_ids = set(prices.values_list("product_id", flat=True))
    prices.delete()
    Product.objects.filter(id__in=product_ids, prices__isnull=True).delete()
    return price_ids
