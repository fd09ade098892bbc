"""The stored rows that some objects change, or depend on, in memory.

They are read and locked with a query for each kind, and written with two, however many they are.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from djstripe.models import Charge, Customer, StripeModel, Subscription

from billing.calculations.stripe_event import customer_of
from billing.stripe.gateway.columns import pointers_in
from billing.stripe.gateway.customer_objects import charge_of, erased_among, payers_of
from billing.stripe.gateway.objects import (
    KIND_OF,
    KINDS,
    is_deleted,
    placeholder,
)

Json = dict[str, Any]

# As JSON one parameter holds all rows, and PostgreSQL takes their types from the table.
_ROWS = "jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
_ADD = "INSERT INTO {table} ({names}) SELECT {names} FROM " + _ROWS
_CHANGE = (
    "UPDATE {table} AS old SET ({names}) = ROW({values}) FROM "
    + _ROWS
    + " AS new WHERE old.djstripe_id = new.djstripe_id"
)


@dataclass(slots=True)
class StoredRow:
    """What is stored of an object, and what will be."""

    stripe_json: Json
    as_of: datetime | None = None
    primary_key: int | None = None  # None: there is no row yet
    purged: datetime | None = None  # when a customer was deleted
    columns: Json | None = None  # None: nothing to write

    @property
    def values(self) -> Json:
        values: Json = {
            "djstripe_id": self.primary_key,
            "id": self.stripe_json["id"],
            "djstripe_updated": self.as_of,
        }
        if self.stripe_json["object"] == "customer":
            values["date_purged"] = self.purged
        return values | (self.columns or {})


class WorkingSet:
    """Use it in one transaction, which holds the locks."""

    def __init__(self, objects: Collection[Json]) -> None:
        """Read what is stored of these objects, and of what decides how they are stored."""
        self._rows: dict[str, dict[str, StoredRow]] = {kind: {} for kind in KINDS}
        self._subscriptions: dict[str, set[str]] = {}  # ids by customer
        self._payers: dict[str, str] = {}  # customers by charge
        self._referred: dict[type[StripeModel], set[str]] = {}
        ids: dict[str, set[str]] = {}
        for stripe_json in objects:
            ids.setdefault(stripe_json["object"], set()).add(stripe_json["id"])
        gone = {row["id"] for row in objects if row["object"] == "customer" and is_deleted(row)}
        for kind, model in KINDS.items():
            condition = Q(id__in=ids.get(kind, ()))
            if model is Subscription and gone:  # which end with their customers
                condition |= Q(customer_id__in=gone)
            if kind in ids or (model is Subscription and gone):
                self._read(kind, condition)
        self._payers |= payers_of(
            _present(charge_of(row) for row in objects if not customer_of(row))
        )
        customer_ids = _present([*map(customer_of, objects), *self._payers.values()])
        self._erased = erased_among(customer_ids) if customer_ids else set()
        self._purged = _purged(customer_ids) if "subscription" in ids else {}

    def row(self, kind: str, object_id: str) -> StoredRow:
        absent = StoredRow(placeholder(kind, object_id))
        return self._rows[kind].setdefault(object_id, absent)

    def is_of_erased(self, stripe_json: Json) -> bool:
        """Return whether an object belongs to a customer whose person was erased."""
        owner = customer_of(stripe_json) or self._payers.get(charge_of(stripe_json), "")
        return owner in self._erased

    def purged(self, customer_id: str) -> datetime | None:
        """Return when a stored customer was deleted, None if it was not."""
        return self._purged.get(customer_id)

    def subscriptions_of(self, customer_id: str) -> list[StoredRow]:
        """Return those of a customer that these objects delete."""
        rows = self._rows["subscription"]
        return [rows[subscription] for subscription in self._subscriptions.get(customer_id, ())]

    def put(self, row: StoredRow, columns: Json, as_of: datetime | None) -> None:
        """Have a row written with these columns, as of a time."""
        row.stripe_json, row.columns, row.as_of = columns["stripe_data"], columns, as_of
        model = KINDS[row.stripe_json["object"]]
        for referred, object_id in pointers_in(model, columns):
            self._referred.setdefault(referred, set()).add(object_id)
        self._note_customer(row.stripe_json)

    def purge(self, row: StoredRow, at: datetime) -> None:
        """Remember when a customer was deleted; the first time counts."""
        row.purged = self._purged[row.stripe_json["id"]] = row.purged or at

    def write(self) -> None:
        for kind, model in KINDS.items():
            rows = self._rows[kind]
            changed = {pk: row for pk, row in sorted(rows.items()) if row.columns is not None}
            _add_placeholders(model, self._referred.get(model, set()) - changed.keys())
            _add(model, [row.values for row in changed.values() if row.primary_key is None])
            _change(model, [row.values for row in changed.values() if row.primary_key is not None])

    def _read(self, kind: str, condition: Q) -> None:
        names = ["djstripe_id", "id", "stripe_data", "djstripe_updated"]
        if kind == "customer":
            names.append("date_purged")
        rows = KINDS[kind].objects.select_for_update().filter(condition).order_by("id")
        for primary_key, object_id, stripe_json, as_of, *purged in rows.values_list(*names):
            row = StoredRow(stripe_json, as_of, primary_key, *purged)
            self._rows[kind][object_id] = row
            self._note_customer(stripe_json)

    def _note_customer(self, stripe_json: Json) -> None:
        """Follow which customer an object belongs to, where the objects after it depend on that."""
        if stripe_json["object"] == "subscription":
            ids = self._subscriptions.setdefault(customer_of(stripe_json), set())
            ids.add(stripe_json["id"])
        elif stripe_json["object"] == "charge":
            self._payers[stripe_json["id"]] = customer_of(stripe_json)


def _present(values: Iterable[str]) -> set[str]:
    return set(values) - {""}


def _purged(customer_ids: Collection[str]) -> dict[str, datetime]:
    """Return when the deleted ones of some customers were deleted."""
    rows = Customer.objects.filter(
        id__in=customer_ids, date_purged__isnull=False, stripe_data__deleted=True
    )
    return dict(rows.values_list("id", "date_purged"))


def _add(model: type[StripeModel], rows: list[Json]) -> None:
    created = timezone.now()
    own = [{**row, "djstripe_created": created} for row in rows]
    for row in own:
        del row["djstripe_id"]
    _execute(_ADD, model, own)


def _change(model: type[StripeModel], rows: list[Json]) -> None:
    _execute(_CHANGE, model, rows)


def _execute(statement: str, model: type[StripeModel], rows: list[Json]) -> None:
    if not rows:
        return
    names = [name for name in rows[0] if name != "djstripe_id"]
    query = statement.format(
        table=model._meta.db_table,
        names=", ".join(names),
        values=", ".join(f"new.{name}" for name in names),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [json.dumps(rows, default=str)])


def _add_placeholders(model: type[StripeModel], object_ids: set[str]) -> None:
    """Create placeholders for those of the objects that are not stored."""
    if not object_ids:
        return
    existing = model.objects.filter(id__in=object_ids).values_list("id", flat=True)
    fields = {"amount": 0} if model is Charge else {}
    missing = [
        model(id=object_id, stripe_data=placeholder(KIND_OF[model], object_id), **fields)
        for object_id in sorted(object_ids.difference(existing))
    ]
    model.objects.bulk_create(missing, ignore_conflicts=True)
