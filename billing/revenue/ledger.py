"""Keep the MRR ledger: a customer's rows are always computed from all its stored objects.

So duplicates and any order of deliveries give the same rows, and an updated ledger equals a
rebuilt one. An exchange rate stays as it was when its row was first written, unless `new_rates`.
"""

import gc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from analytics.rollups import definitions
from billing.calculations.movements import MovementKind
from billing.models import MrrMovement, RevenueCustomer
from billing.revenue import cash, ledger_writing
from billing.revenue import settings as revenue_settings
from billing.revenue.fx import Rates
from billing.revenue.ledger_rows import (
    Frozen,
    LedgerContext,
    excluded_customers,
    person_facts,
    rows_of,
)
from billing.stripe import gateway
from common.locks import Lock, locked_cursor

CUSTOMERS_PER_STEP = 2_000
Progress = Callable[[int, int], None]  # customers done, all customers


def recount(
    customer_ids: Collection[str],
    *,
    now: datetime | None = None,
    new_rates: bool = False,
    progress: Callable[[int], Any] = lambda _: None,
) -> int:
    """Recompute ledger and cash of these customers; return the number of changed movements.

    `progress` is called with how many more customers are done.
    """
    moment = now or timezone.now()
    ids = iter(sorted(set(customer_ids)))
    changed = 0
    while chunk := list(islice(ids, CUSTOMERS_PER_STEP)):
        with transaction.atomic():
            cursor = locked_cursor(Lock.MRR_LEDGER)
            revenue_settings.adopt_at_first()
            frozen: Frozen = {} if new_rates else _frozen_rates(chunk)
            with _without_garbage_collection():
                rows = rows_of(chunk, _context(moment), frozen)
            rows.held += cash.recount(chunk)
            changed += ledger_writing.replace(cursor, chunk, rows)
        progress(len(chunk))
    return changed


@transaction.atomic
def rebuild(
    progress: Progress = lambda *_: None, *, now: datetime | None = None, new_rates: bool = False
) -> int:
    """Build ledger and cash of all customers from scratch; return the number of movements.

    This applies the current settings of reporting currency and time zone; a new currency takes
    new rates. Readers see the old ledger until the commit.
    """
    cursor = locked_cursor(Lock.MRR_LEDGER)
    new_rates = new_rates or revenue_settings.adopt()
    context = _context(now or timezone.now())
    frozen: Frozen = {} if new_rates else _frozen_rates(None)
    ledger_writing.delete_all(cursor)
    ids = sorted(gateway.subscribing_customers() | excluded_customers())
    movements = 0
    for start in range(0, len(ids), CUSTOMERS_PER_STEP):
        with _without_garbage_collection():
            rows = rows_of(ids[start : start + CUSTOMERS_PER_STEP], context, frozen)
            movements += ledger_writing.add(cursor, rows)
        progress(min(start + CUSTOMERS_PER_STEP, len(ids)), len(ids))
    ledger_writing.hold(cash.recount())
    ledger_writing.sum_all_days(cursor)
    return movements


def recount_due(*, now: datetime) -> int:
    """Recount customers whose MRR changes on its own, waits for a rate, or was (un)excluded.

    Rebuild the ledger if the settings differ from those it was built with.
    """
    if revenue_settings.rebuild_needed():
        return rebuild(now=now)
    calendar = definitions.calendar()
    today = calendar.local_date(now)
    due = set(RevenueCustomer.objects.filter(changes_on__lte=today).values_list("pk", flat=True))
    due |= _waiting()
    excluded = RevenueCustomer.objects.filter(excluded=True)
    due |= excluded_customers().difference(excluded.values_list("pk", flat=True))
    rows = RevenueCustomer.objects.values_list("pk", "excluded", "signup_month").iterator()
    while chunk := list(islice(rows, CUSTOMERS_PER_STEP)):
        facts_of = person_facts([customer_id for customer_id, _, _ in chunk], calendar)
        due |= {pk for pk, excluded, month in chunk if facts_of(pk) != (excluded, month)}
    return recount(due, now=now)


def recount_held(*, now: datetime) -> int:
    """Recount the customers that wait for an exchange rate."""
    return recount(_waiting(), now=now)


def stripe_changed(
    customer_ids: set[str],
    object_ids: Collection[str] = frozenset(),
    progress: Callable[[int], Any] = lambda _: None,
    **_: Any,
) -> None:
    """Follow a change of customers' objects, and of coupons and prices."""
    recount(customer_ids | (_referring_to(object_ids) if object_ids else set()), progress=progress)


@transaction.atomic
def _referring_to(object_ids: Collection[str]) -> set[str]:
    """Return the customers whose subscriptions refer to some coupons or prices.

    A recount that is running may not have seen these objects yet, so this waits for its end.
    """
    locked_cursor(Lock.MRR_LEDGER)
    referring = RevenueCustomer.objects.filter(refers_to__overlap=list(object_ids))
    return set(referring.values_list("pk", flat=True))


def _waiting() -> set[str]:
    held = MrrMovement.objects.filter(kind=MovementKind.HELD)
    return set(held.values_list("customer_id", flat=True))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Keep the collector from searching a step's JSON for cycles: there are none, and it costs."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _context(now: datetime) -> LedgerContext:
    reporting = revenue_settings.currency_in_force()
    return LedgerContext(reporting, definitions.calendar(), now, Rates(reporting))


def _frozen_rates(customer_ids: Collection[str] | None) -> Frozen:
    rows = MrrMovement.objects.exclude(fx_rate=None)
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=customer_ids)
    rates = rows.values_list("customer_id", "day", "currency", "fx_rate")
    return {
        (customer_id, day.toordinal(), currency): rate
        for customer_id, day, currency, rate in rates.iterator()
        if rate is not None
    }
