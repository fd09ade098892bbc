"""The cash ledger: paid invoices, refunds, lost disputes, credit notes, in their own currencies."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from billing.calculations.cash import Cash, CashKind, PaidInvoices, cash_of
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.calculations.versions.subscription_versions import Held
from billing.models import CashEntry, SubscriptionStart
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


def revenue(*, start: datetime, end: datetime) -> dict[str, int]:
    """Return payments minus what went back, from `start` on and before `end`, by currency."""
    is_payment = Q(kind=CashKind.PAYMENT)
    entries = CashEntry.objects.counted().filter(happened_at__gte=start, happened_at__lt=end)
    rows = entries.values("currency")
    rows = rows.annotate(
        paid=Sum("amount", filter=is_payment, default=0),
        refunded=Sum("amount", filter=~is_payment, default=0),
    )
    return {row["currency"]: row["paid"] - row["refunded"] for row in rows.order_by("currency")}


def subscriptions_created(*, start: datetime, end: datetime) -> int:
    """Count subscriptions created from `start` on and before `end`, even if they ended."""
    starts = SubscriptionStart.objects.counted()
    return starts.filter(created_at__gte=start, created_at__lt=end).count()


def _stored(customer_ids: Collection[str] | None, held: list[tuple[str, Held]]) -> Iterator[Cash]:
    """Yield the cash of Stripe's objects; refunds and disputes only of counted invoices."""
    paid = PaidInvoices()
    for invoice in gateway.invoices(customer_ids):
        if entry := _usable(invoice, held):
            paid.add(invoice, entry)
            yield entry
    for returned in gateway.returned(customer_ids, charges=paid.payers):
        customer_id = paid.customer_of(returned)
        if customer_id is None:
            continue
        if entry := _usable(returned.stripe_json, held, customer_id, returned.closed_at):
            yield replace(entry, customer_id=customer_id)
    for note in gateway.credit_notes(customer_ids):
        if entry := _usable(note, held):
            yield entry


def _usable(
    stripe_json: Mapping[str, Any],
    held: list[tuple[str, Held]],
    customer_id: str = "",
    closed_at: int | None = None,
) -> Cash | None:
    try:
        return cash_of(stripe_json, closed_at=closed_at)
    except UnusableStripeObject as error:
        owner = customer_id or customer_of(stripe_json)
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
