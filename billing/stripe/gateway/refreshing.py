"""Read objects from Stripe anew, with what they need to be understood."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from djstripe.models import Charge

from billing.calculations.stripe_completion import completed, discounts_of
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import id_of
from billing.stripe.gateway.calls import fetch
from billing.stripe.gateway.objects import KINDS, StoreOutcome, store, stored

Json = dict[str, Any]
_POINTERS = ("customer", "charge", "product")


def moment() -> datetime:
    """Return the moment as of which something is known that is read from now on."""
    return timezone.now()


def refresh(kind: str, object_id: str) -> Json | None:
    """Read an object from Stripe and store it; None where Stripe knows it no more."""
    as_of = moment()
    found = fetch(kind, object_id)
    if found is None:
        return None
    found, _ = keep(found, as_of=as_of)
    return found


def keep(found: Json, *, as_of: datetime) -> tuple[Json, StoreOutcome]:
    """Store what was read from Stripe; what it mentions and is not stored is read, too."""
    if found["object"] == "subscription":
        found = completed(found, discounts=discounts_of(found), stored=_known)
    change = store(found, as_of=as_of, read_now=True)
    for kind in _POINTERS:
        if isinstance(pointer := found.get(kind), str):
            _known(kind, pointer)
    return found, change


def owner_of(stripe_json: Json) -> str:
    """Return whose an object is, by itself or by its stored charge; "" where that is not known."""
    if own := customer_of(stripe_json):
        return own
    charge_id = id_of(stripe_json.get("charge"), "charge", default="")
    owners = Charge.objects.filter(id=charge_id).values_list("customer_id", flat=True)
    return owners.first() or ""


def _known(kind: str, object_id: str) -> Json | None:
    if kind not in KINDS or not object_id:
        return None
    return stored(kind, object_id) or refresh(kind, object_id)
