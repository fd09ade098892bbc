"""Read objects from Stripe again, with the objects they depend on."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from djstripe.models import Charge, Invoice

from billing.calculations.stripe_completion import EXPANDABLE, completed, completed_discount
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import id_of
from billing.stripe.gateway.calls import PATHS, fetch
from billing.stripe.gateway.objects import KINDS, StoreOutcome, store, stored

Json = dict[str, Any]
_POINTERS = ("customer", "charge", "product")


def moment() -> datetime:
    """Return the time as of which an object is valid that is read from now on."""
    return timezone.now()


def refresh(kind: str, object_id: str) -> Json | None:
    """Read an object from Stripe and store it; None if it no longer exists there."""
    as_of = moment()
    stripe_json = fetch(kind, object_id)
    if stripe_json is None:
        return None
    stripe_json, _ = keep(stripe_json, as_of=as_of)
    return stripe_json


def keep(stripe_json: Json, *, as_of: datetime) -> tuple[Json, StoreOutcome]:
    """Store an object read from Stripe; read the objects it refers to if they are not stored."""
    # What was to be expanded and is missing does not exist: it is not unknown.
    expanded = dict.fromkeys(EXPANDABLE.get(stripe_json["object"], ()))
    stripe_json = expanded | stripe_json
    outcome = store(stripe_json, as_of=as_of, read_now=True)
    if stripe_json["object"] == "subscription":
        completed(stripe_json, discounts={}, stored=_ensure_known)
    elif stripe_json.get("discount"):
        completed_discount(stripe_json["discount"], discounts={}, stored=_ensure_known)
    for kind in _POINTERS:
        if isinstance(pointer := stripe_json.get(kind), str):
            _ensure_stored(kind, pointer)
    return stripe_json, outcome


def owner_of(stripe_json: Json) -> str:
    """Return an object's customer: its own, its charge's, or the charge's invoice's; "" if none."""
    if own := customer_of(stripe_json):
        return own
    charge_id = id_of(stripe_json.get("charge"), "charge", default="")
    if not charge_id:
        return ""
    owners = Charge.objects.filter(id=charge_id).values_list("customer_id", flat=True)
    payers = Invoice.objects.filter(stripe_data__charge=charge_id)  # where it is not stored
    return owners.first() or payers.values_list("customer_id", flat=True).first() or ""


def _ensure_stored(kind: str, object_id: str) -> Json | None:
    if kind not in KINDS or not object_id:
        return None
    return stored(kind, object_id) or refresh(kind, object_id)


def _ensure_known(kind: str, object_id: str) -> Json | None:
    """Return an object with all its expandable fields, read from Stripe unless it is stored so."""
    kept = stored(kind, object_id) if object_id else None
    if kind not in PATHS or not object_id:
        return kept
    if kept is not None and kept.keys() >= set(EXPANDABLE[kind]):
        return kept
    return refresh(kind, object_id) or kept
