"""All stored objects of a customer: counted, read, made anonymous, and deleted."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from django.db import models, transaction
from djstripe.models import (
    Charge,
    Customer,
    Discount,
    Dispute,
    Invoice,
    Refund,
    Session,
    StripeModel,
    Subscription,
)

from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import id_of
from billing.calculations.stripe_personal import anonymous
from billing.models import ErasedCustomer
from billing.stripe.gateway.columns import columns_of
from billing.stripe.gateway.objects import is_placeholder

Json = dict[str, Any]


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
    model.objects.filter(pk=row.pk).update(**columns_of(model, stripe_json))


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


def charge_of(stripe_json: Mapping[str, Any]) -> str:
    """Return the id of an object's charge, "" if it has none."""
    return id_of(stripe_json.get("charge"), "charge", default="")


def payers_of(charge_ids: Collection[str]) -> dict[str, str]:
    """Return the customers of stored charges, by the charges' ids; "" of a guest."""
    rows = Charge.objects.filter(id__in=charge_ids).values_list("id", "customer_id")
    return {charge_id: customer_id or "" for charge_id, customer_id in rows}


def erased_among(customer_ids: Collection[str]) -> set[str]:
    """Return those of some customers whose persons were erased."""
    rows = ErasedCustomer.objects.filter(pk__in=customer_ids)
    return set(rows.values_list("pk", flat=True))


def is_erased(customer_id: str) -> bool:
    """Return whether the person of a customer was erased."""
    return bool(erased_among([customer_id]))


def is_of_erased(stripe_json: Mapping[str, Any]) -> bool:
    """Return whether an object belongs to a customer whose person was erased."""
    customer_id = customer_of(stripe_json)
    if not customer_id and (charge_id := charge_of(stripe_json)):
        customer_id = payers_of([charge_id]).get(charge_id, "")
    return bool(customer_id) and is_erased(customer_id)


@transaction.atomic
def delete_customers(customer_ids: Collection[str]) -> None:
    """Delete stored customers with all their objects."""
    Refund.objects.filter(charge__customer_id__in=customer_ids).delete()
    for model in (Discount, Session, Charge, Invoice, Subscription):
        model.objects.filter(customer_id__in=customer_ids).delete()
    Customer.objects.filter(id__in=customer_ids).delete()


def _objects_of(customer_ids: Collection[str]) -> Iterator[models.QuerySet]:
    owned = list(customer_ids)
    yield Customer.objects.filter(id__in=owned)
    for model in (Subscription, Invoice, Charge, Session, Discount):
        yield model.objects.filter(customer_id__in=owned)
    for model in (Refund, Dispute):  # the charge of a dispute is only in its JSON
        yield model.objects.filter(stripe_data__charge__in=charge_ids(owned))
