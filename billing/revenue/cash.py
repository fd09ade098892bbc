"""The cash ledger: paid invoices, refunds and credit notes, in their own currencies."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from django.db import models, transaction
from django.db.models import Q, Sum

from billing.calculations.cash import Cash, CashKind, cash_of, charges_of
from billing.calculations.history import Held
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.models import CashEntry, RevenueCustomer, SubscriptionStart
from billing.stripe import gateway

BATCH = 5_000


@transaction.atomic
def recount(customer_ids: Collection[str] | None = None) -> list[tuple[str, Held]]:
    """Rewrite the cash of some customers, or of all; return unusable objects, by customer."""
    held: list[tuple[str, Held]] = []
    entries = CashEntry.objects.all()
    if customer_ids is not None:
        entries = entries.filter(customer_id__in=customer_ids)
    entries.delete()
    batch: dict[str, CashEntry] = {}
    for entry in _stored(customer_ids, held):
        batch[entry.stripe_id] = _row(entry)
        if len(batch) == BATCH:
            _write(batch)
            batch = {}
    _write(batch)
    return held


def counted() -> models.QuerySet[CashEntry]:
    """Return the entries without those of test and internal persons."""
    excluded = RevenueCustomer.objects.filter(excluded=True).values("customer_id")
    return CashEntry.objects.exclude(customer_id__in=excluded)


def revenue(*, start: datetime, end: datetime) -> dict[str, int]:
    """Return payments minus refunds, from `start` on and before `end`, by currency."""
    is_payment = Q(kind=CashKind.PAYMENT)
    rows = counted().filter(happened_at__gte=start, happened_at__lt=end).values("currency")
    rows = rows.annotate(
        paid=Sum("amount", filter=is_payment, default=0),
        refunded=Sum("amount", filter=~is_payment, default=0),
    )
    return {row["currency"]: row["paid"] - row["refunded"] for row in rows.order_by("currency")}


def subscriptions_created(*, start: datetime, end: datetime) -> int:
    """Count subscriptions created from `start` on and before `end`, even if they ended."""
    excluded = RevenueCustomer.objects.filter(excluded=True).values("customer_id")
    starts = SubscriptionStart.objects.filter(created_at__gte=start, created_at__lt=end)
    return starts.exclude(customer_id__in=excluded).count()


def _stored(customer_ids: Collection[str] | None, held: list[tuple[str, Held]]) -> Iterator[Cash]:
    """Yield the cash of Stripe's objects; a refund belongs to the customer of its charge."""
    payer: dict[str, str] = {}
    only = next(iter(customer_ids)) if customer_ids and len(customer_ids) == 1 else ""
    for invoice in gateway.invoices(customer_ids):
        entry = _usable(invoice, held)
        if entry is not None:
            payer |= dict.fromkeys(charges_of(invoice), entry.customer_id)
            yield entry
    returned: Iterable[Mapping[str, Any]] = chain(
        gateway.refunds(customer_ids), gateway.credit_notes(customer_ids)
    )
    for stripe_json in returned:
        entry = _usable(stripe_json, held)
        if entry is None:
            continue
        keys = (stripe_json.get("charge"), stripe_json.get("payment_intent"))
        names = [key.get("id") if isinstance(key, dict) else key for key in keys]
        owner = next((payer[name] for name in names if name in payer), only)
        yield entry if entry.customer_id else replace(entry, customer_id=owner)


def _usable(stripe_json: Mapping[str, Any], held: list[tuple[str, Held]]) -> Cash | None:
    try:
        return cash_of(stripe_json)
    except UnusableStripeObject as error:
        customer = stripe_json.get("customer")
        owner = customer if isinstance(customer, str) else (customer or {}).get("id") or ""
        held.append((owner, Held(stripe_json.get("id") or "", error.field, str(error))))
        return None


def _row(cash: Cash) -> CashEntry:
    return CashEntry(
        stripe_id=cash.stripe_id,
        customer_id=cash.customer_id,
        kind=cash.kind.value,
        happened_at=datetime.fromtimestamp(cash.moment, UTC),
        amount=cash.amount,
        currency=cash.currency,
    )


def _write(batch: Mapping[str, CashEntry]) -> None:
    CashEntry.objects.bulk_create(
        batch.values(),
        update_conflicts=True,
        unique_fields=["stripe_id"],
        update_fields=["customer_id", "kind", "happened_at", "amount", "currency"],
    )
