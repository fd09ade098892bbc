"""Read objects from Stripe again, with the objects they depend on."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.utils import timezone
from djstripe.models import Invoice

from billing.calculations.stripe_completion import EXPANDABLE, completed, completed_discount
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.stripe.gateway.calls import PATHS, fetch
from billing.stripe.gateway.customer_objects import charge_of, payers_of
from billing.stripe.gateway.objects import stored, stored_of
from billing.stripe.gateway.storing import Stored, StoreOutcome, store_all

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
    """Store an object read from Stripe as `keep_all` does; return it and its outcome."""
    [(kept, outcome)] = keep_all([stripe_json], as_of=as_of)
    if isinstance(outcome, Exception):
        raise outcome
    return kept, outcome


def keep_all(objects: Iterable[Json], *, as_of: datetime) -> list[tuple[Json, Stored]]:
    """Store objects read from Stripe; read those they refer to if they are not stored.

    Return each as it was stored, with its outcome.
    """
    # What was to be expanded and is missing does not exist: it is not unknown.
    rows = [dict.fromkeys(EXPANDABLE.get(row["object"], ())) | row for row in objects]
    outcomes = store_all(rows, as_of=as_of, read_now=True)
    referred = _Referred(rows)
    for position, stripe_json in enumerate(rows):
        if isinstance(outcomes[position], StoreOutcome):
            try:
                referred.ensure(stripe_json)
            except UnusableStripeObject as error:
                outcomes[position] = error
    return list(zip(rows, outcomes, strict=True))


def owner_of(stripe_json: Json) -> str:
    """Return an object's customer: its own, its charge's, or the charge's invoice's; "" if none."""
    return next(iter(owners_of([stripe_json])), "")


def owners_of(objects: Collection[Json]) -> set[str]:
    """Return the customers of objects, without those that have none."""
    charge_ids = {charge_of(row) for row in objects if not customer_of(row)} - {""}
    owners = {*map(customer_of, objects), *owners_of_charges(charge_ids).values()}
    return owners - {""}


def owners_of_charges(charge_ids: Collection[str]) -> dict[str, str]:
    """Return the customers of charges, or of their invoices, by the ids of the charges."""
    owners = payers_of(charge_ids) if charge_ids else {}
    if unknown := [charge_id for charge_id in charge_ids if not owners.get(charge_id)]:
        invoices = Invoice.objects.filter(stripe_data__charge__in=unknown)
        owners |= dict(invoices.values_list("stripe_data__charge", "customer_id"))
    return owners


class _Referred:
    """What objects refer to: read from Stripe if it is not stored, each once."""

    def __init__(self, objects: Collection[Json]) -> None:
        ids = {kind: _pointers(objects, kind) for kind in _POINTERS}
        self._stored = {kind: set(stored_of(kind, ids[kind])) for kind in _POINTERS if ids[kind]}
        self._ensured = cache(_ensure_known)

    def ensure(self, stripe_json: Json) -> None:
        if stripe_json["object"] == "subscription":
            completed(stripe_json, discounts={}, stored=self._ensured)
        elif stripe_json.get("discount"):
            completed_discount(stripe_json["discount"], discounts={}, stored=self._ensured)
        for kind in _POINTERS:
            for object_id in _pointers([stripe_json], kind) - self._stored.get(kind, set()):
                refresh(kind, object_id)
                self._stored[kind].add(object_id)


def _pointers(objects: Iterable[Json], kind: str) -> set[str]:
    values = (stripe_json.get(kind) for stripe_json in objects)
    return {value for value in values if isinstance(value, str) and value}


def _ensure_known(kind: str, object_id: str) -> Json | None:
    """Return an object with all its expandable fields, read from Stripe unless it is stored so."""
    kept = stored(kind, object_id) if object_id else None
    if kind not in PATHS or not object_id:
        return kept
    if kept is not None and kept.keys() >= set(EXPANDABLE[kind]):
        return kept
    return refresh(kind, object_id) or kept
