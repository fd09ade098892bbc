"""Stripe's objects in dj-stripe's tables: `stripe_data` is Stripe's JSON, unchanged.

dj-stripe itself would read every object that an object refers to from Stripe, with up to six calls;
here such an object gets a placeholder. `djstripe_updated` is the time as of which an object is
stored, so that an older version never overwrites it.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
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

from billing.calculations.stripe_completion import keeping_expanded, without_expandable
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.calculations.stripe_personal import anonymous
from billing.models import ErasedCustomer
from billing.stripe.gateway.deleted_customers import (
    end_subscriptions,
    ended_with_customer,
    note_deletion,
)

Json = dict[str, Any]

KINDS: dict[str, type[StripeModel]] = {
    "product": Product,
    "price": Price,
    "coupon": Coupon,
    "discount": Discount,
    "customer": Customer,
    "subscription": Subscription,
    "invoice": Invoice,
    "charge": Charge,
    "refund": Refund,
    "dispute": Dispute,
    "checkout.session": Session,
}
_KIND_OF = {model: kind for kind, model in KINDS.items()}
_OURS = {"stripe_data", "subscriber", "date_purged"}


class StoreOutcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STALE = "older than the stored version"


def stored(kind: str, object_id: str) -> Json | None:
    """Return a stored object; None if it is not stored, or only a placeholder."""
    row = KINDS[kind].objects.filter(id=object_id).values_list("stripe_data", flat=True).first()
    return None if row is None or is_placeholder(row) else row


def stored_ids(kind: str) -> set[str]:
    """Return the ids of the stored objects of a kind that are not deleted."""
    rows = KINDS[kind].objects.exclude(stripe_data={}).values_list("id", "stripe_data")
    return {
        object_id
        for object_id, row in rows.iterator()
        if not is_placeholder(row) and not row.get("deleted")
    }


def is_placeholder(stripe_json: Json) -> bool:
    return stripe_json.keys() == {"id", "object"}


@transaction.atomic
def store(stripe_json: Json, *, as_of: datetime, read_now: bool = False) -> StoreOutcome:
    """Store an object unless a newer version is stored.

    Versions of the same time have no order: the same version always wins. But a version that was
    `read_now` from Stripe replaces an earlier one, and a deleted customer never comes back.
    UnusableStripeObject names the invalid field.
    """
    model = KINDS[stripe_json["object"]]
    object_id = id_of(stripe_json.get("id"), "id")
    if len(object_id) > 255:
        raise UnusableStripeObject("id", "is longer than 255 characters")
    before = stored(stripe_json["object"], object_id) if _is_deleted(stripe_json) else None
    first = _permitted(stripe_json, before or {})
    columns = _columns(model, first)
    _ensure_placeholder(model, object_id, columns)
    kept, since = (
        model.objects.select_for_update()
        .values_list("stripe_data", "djstripe_updated")
        .get(id=object_id)
    )
    stripe_json = _permitted(stripe_json, kept)  # perhaps it changed while this waited for the lock
    is_deletion = model is Customer and _is_deleted(stripe_json) and not _is_deleted(kept)
    if is_placeholder(kept):
        outcome = StoreOutcome.NEW
    elif is_deletion:
        as_of, outcome = max(as_of, since), StoreOutcome.CHANGED
    elif as_of < since or (as_of == since and not read_now and _text(stripe_json) < _text(kept)):
        if (fuller := keeping_expanded(kept, stripe_json)) == kept:
            return StoreOutcome.STALE
        stripe_json, as_of, outcome = fuller, since, StoreOutcome.CHANGED
        columns = _columns(model, stripe_json)
    else:
        stripe_json = keeping_expanded(stripe_json, kept)
        columns["stripe_data"] = stripe_json
        outcome = StoreOutcome.UNCHANGED if kept == stripe_json else StoreOutcome.CHANGED
    if stripe_json != first:
        columns = _columns(model, stripe_json)
    model.objects.filter(id=object_id).update(**columns, djstripe_updated=as_of)
    if model is Customer and _is_deleted(stripe_json):
        note_deletion(object_id, as_of)
        end_subscriptions(object_id)
    return outcome


def _permitted(stripe_json: Json, kept: Json) -> Json:
    """Return what may be stored of an object, in place of `kept`."""
    if is_of_erased(stripe_json):
        stripe_json = anonymous(stripe_json)
    if _is_deleted(stripe_json) and not is_placeholder(kept):
        stripe_json = kept | stripe_json
    elif stripe_json["object"] == "customer" and _is_deleted(kept):
        stripe_json = stripe_json | {"deleted": True}
    return (
        ended_with_customer(stripe_json) if stripe_json["object"] == "subscription" else stripe_json
    )


def _is_deleted(stripe_json: Json) -> bool:
    return bool(stripe_json.get("deleted"))


def anonymize(customer_ids: Collection[str], clean: Callable[[Json], Json]) -> int:
    """Remove personal data from all stored objects of some customers; return their number.

    `clean` removes what else names the person.
    """
    number = 0
    for rows in _objects_of(customer_ids):
        for row in rows.select_for_update().iterator():
            if not is_placeholder(row.stripe_data):
                rewrite(row, clean(anonymous(row.stripe_data)))
            number += 1
    return number


def rewrite(row: StripeModel, stripe_json: Json) -> None:
    """Replace what is stored of an object, as of the same time."""
    model = type(row)
    model.objects.filter(pk=row.pk).update(**_columns(model, stripe_json))


def count_objects(customer_ids: Collection[str]) -> int:
    """Return the number of stored objects of some customers."""
    return sum(rows.count() for rows in _objects_of(customer_ids))


def charge_ids(customer_ids: Collection[str]) -> list[str]:
    """Return the ids of the stored charges of some customers."""
    return list(Charge.objects.filter(customer_id__in=customer_ids).values_list("id", flat=True))


def objects_of(customer_ids: Collection[str]) -> Iterator[Json]:
    """Yield all stored objects of some customers."""
    for rows in _objects_of(customer_ids):
        yield from rows.values_list("stripe_data", flat=True).iterator()


def is_erased(customer_id: str) -> bool:
    """Return whether the person of a customer was erased."""
    return ErasedCustomer.objects.filter(pk=customer_id).exists()


def is_of_erased(stripe_json: Mapping[str, Any]) -> bool:
    """Return whether an object belongs to a customer whose person was erased."""
    customer_id = customer_of(stripe_json)
    if not customer_id and (charge_id := id_of(stripe_json.get("charge"), "charge", default="")):
        owners = Charge.objects.filter(id=charge_id).values_list("customer_id", flat=True)
        customer_id = owners.first() or ""
    return bool(customer_id) and is_erased(customer_id)


def _objects_of(customer_ids: Collection[str]) -> Iterator[models.QuerySet]:
    owned = list(customer_ids)
    yield Customer.objects.filter(id__in=owned)
    for model in (Subscription, Invoice, Charge, Session, Discount):
        yield model.objects.filter(customer_id__in=owned)
    for model in (Refund, Dispute):  # the charge of a dispute is only in its JSON
        yield model.objects.filter(stripe_data__charge__in=charge_ids(owned))


def ids_with_prefix(kind: str, prefix: str) -> list[str]:
    """Return the ids of the stored objects of a kind that start with a prefix."""
    return list(KINDS[kind].objects.filter(id__startswith=prefix).values_list("id", flat=True))


@transaction.atomic
def delete_customers(customer_ids: Collection[str]) -> None:
    """Delete stored customers with all their objects."""
    Refund.objects.filter(charge__customer_id__in=customer_ids).delete()
    for model in (Discount, Session, Charge, Invoice, Subscription):
        model.objects.filter(customer_id__in=customer_ids).delete()
    Customer.objects.filter(id__in=customer_ids).delete()


@transaction.atomic
def delete_prices(lookup_keys: Collection[str]) -> list[str]:
    """Delete stored prices with their products; return the prices' ids."""
    prices = Price.objects.filter(lookup_key__in=lookup_keys)
    price_ids = list(prices.values_list("id", flat=True))
    product_ids = set(prices.values_list("product_id", flat=True))
    prices.delete()
    Product.objects.filter(id__in=product_ids, prices__isnull=True).delete()
    return price_ids


def _text(stripe_json: Json) -> str:
    return json.dumps(without_expandable(stripe_json), sort_keys=True)


def _columns(model: type[StripeModel], stripe_json: Json) -> dict[str, Any]:
    """Return dj-stripe's columns; of the foreign keys only the customer and required ones."""
    columns: dict[str, Any] = {"stripe_data": stripe_json}
    for field in model._meta.concrete_fields:
        if field.name.startswith("djstripe_") or field.name in _OURS or field.name == "id":
            continue
        if field.is_relation:
            if field.name == "customer" or not field.null:
                columns[field.attname] = _pointer(field, stripe_json)
        else:
            columns[field.attname] = _value(field, stripe_json)
    return columns


def _pointer(field: Any, stripe_json: Json) -> str | None:
    value = stripe_json.get(field.name)
    if value is None and field.null:
        return None
    object_id = id_of(value, field.name)
    _ensure_placeholder(field.related_model, object_id)
    return object_id


def _value(field: Any, stripe_json: Json) -> Any:
    value = stripe_json.get(field.name)
    if isinstance(field, models.IntegerField | models.DecimalField) and type(value) is not int:
        raise UnusableStripeObject(
            field.name, f"{value!r} is not a whole number" if value else "is missing"
        )
    if value is None and isinstance(field, models.CharField | models.TextField) and not field.null:
        return ""
    try:
        if hasattr(field, "stripe_to_db"):
            value = field.stripe_to_db(stripe_json)
        return field.to_python(value)
    except (ValidationError, TypeError, ValueError, OverflowError, OSError) as error:
        raise UnusableStripeObject(field.name, f"{value!r} cannot be used") from error


def _ensure_placeholder(
    model: type[StripeModel], object_id: str, columns: Json | None = None
) -> None:
    """Create a placeholder for an object that is not stored."""
    if model is Coupon and Coupon.objects.filter(id=object_id).exists():
        return  # its id is unique per mode only, and a file may leave the mode out
    fields = (columns or {}) | {"stripe_data": {"id": object_id, "object": _KIND_OF[model]}}
    if model is Charge:
        fields = {"amount": 0} | fields
    model.objects.bulk_create([model(id=object_id, **fields)], ignore_conflicts=True)
