"""Keep the MRR ledger: a customer's rows are always computed from everything stored about him.

So duplicates and any order of deliveries give the same rows, and the ledger kept is the ledger
rebuilt. An exchange rate stays as it was when its row was first written, unless `new_rates`.
"""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from django.db import transaction
from django.utils import timezone

from analytics.rollups import definitions
from billing.calculations.history import Held
from billing.calculations.movements import MovementKind
from billing.models import HeldObject, MrrMovement, RevenueCustomer
from billing.revenue import cash
from billing.revenue import settings as revenue_settings
from billing.revenue.fx import Rates
from billing.revenue.ledger_rows import Frame, Frozen, LedgerRows, Row, rows_of, standing
from billing.stripe import gateway
from common.locks import Lock, locked_cursor

CUSTOMERS_PER_STEP = 2_000
Progress = Callable[[int, int], None]  # customers done, of

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_MOVEMENT = (
    "customer_id, day, kind, amount, currency, original_amount, fx_rate, opening, closing, sources"
)
_CUSTOMER = (
    "customer_id, mrr, at_risk, scheduled_churn, ends_on, changes_on, signup_month, excluded"
)
_SUMS = (
    "new reactivation expansion contraction churn"
    " new_customers reactivated_customers churned_customers"
).split()

# {sign} is 1 or -1, {whose} narrows it down to some customers.
_COUNT = f"""
INSERT INTO billing_mrrday (day, {", ".join(_SUMS)})
SELECT day,
    {{sign}} * coalesce(sum(amount) FILTER (WHERE kind = 'new'), 0),
    {{sign}} * coalesce(sum(amount) FILTER (WHERE kind = 'reactivation'), 0),
    {{sign}} * coalesce(sum(amount) FILTER (WHERE kind = 'expansion'), 0),
    {{sign}} * coalesce(-sum(amount) FILTER (WHERE kind = 'contraction'), 0),
    {{sign}} * coalesce(-sum(amount) FILTER (WHERE kind = 'churn'), 0),
    {{sign}} * count(DISTINCT movement.customer_id) FILTER (WHERE kind = 'new'),
    {{sign}} * count(DISTINCT movement.customer_id) FILTER (WHERE kind = 'reactivation'),
    {{sign}} * count(DISTINCT movement.customer_id) FILTER (WHERE kind = 'churn')
FROM billing_mrrmovement movement
JOIN billing_revenuecustomer USING (customer_id)
WHERE NOT excluded AND kind <> 'held' AND {{whose}}
GROUP BY day
ON CONFLICT (day) DO UPDATE SET
    {", ".join(f"{name} = billing_mrrday.{name} + EXCLUDED.{name}" for name in _SUMS)}
"""
_FORGET_EMPTY_DAYS = (
    f"DELETE FROM billing_mrrday WHERE ({', '.join(_SUMS)}) = ({', '.join('0' * len(_SUMS))})"
)


def recount(
    customer_ids: Collection[str], *, now: datetime | None = None, new_rates: bool = False
) -> int:
    """Recompute the ledger and the cash of these customers; return the movements that changed."""
    moment = now or timezone.now()
    ids = iter(sorted(set(customer_ids)))
    changed = 0
    while chunk := list(islice(ids, CUSTOMERS_PER_STEP)):
        with transaction.atomic():
            cursor = locked_cursor(Lock.MRR_LEDGER)
            revenue_settings.adopt_at_first()
            frozen: Frozen = {} if new_rates else _frozen_rates(chunk)
            rows = rows_of(chunk, _frame(moment), frozen)
            rows.held += cash.recount(chunk)
            changed += _replace(cursor, chunk, rows)
    return changed


@transaction.atomic
def rebuild(
    progress: Progress = lambda *_: None, *, now: datetime | None = None, new_rates: bool = False
) -> int:
    """Build the ledger and the cash of all customers from scratch; return the movements.

    The reporting currency and the time zone as they are set come in force; a new currency takes
    new rates. Readers see the old ledger until the commit.
    """
    cursor = locked_cursor(Lock.MRR_LEDGER)
    new_rates = new_rates or revenue_settings.adopt()
    frame = _frame(now or timezone.now())
    frozen: Frozen = {} if new_rates else _frozen_rates(None)
    for table in "mrrmovement revenuecustomer mrrday heldobject subscriptionstart".split():
        cursor.execute(f"DELETE FROM billing_{table}")
    ids = sorted(gateway.subscribing_customers())
    movements = 0
    for start in range(0, len(ids), CUSTOMERS_PER_STEP):
        with _no_cycles():
            rows = rows_of(ids[start : start + CUSTOMERS_PER_STEP], frame, frozen)
            movements += _add(cursor, rows)
        progress(min(start + CUSTOMERS_PER_STEP, len(ids)), len(ids))
    _hold(cash.recount())
    cursor.execute(_COUNT.format(sign=1, whose="true"))
    cursor.execute(_FORGET_EMPTY_DAYS)
    return movements


def recount_due(*, now: datetime) -> int:
    """Recount whose MRR changes by itself, waits for a rate, or whose person was (un)excluded.

    Where the settings are others than those that the ledger was built with, rebuild it.
    """
    if revenue_settings.rebuild_needed():
        return rebuild(now=now)
    calendar = definitions.calendar()
    today = calendar.local_date(now)
    due = set(RevenueCustomer.objects.filter(changes_on__lte=today).values_list("pk", flat=True))
    due |= _waiting()
    known = RevenueCustomer.objects.values_list("pk", "excluded", "signup_month").iterator()
    while chunk := list(islice(known, CUSTOMERS_PER_STEP)):
        of = standing([customer_id for customer_id, _, _ in chunk], calendar)
        due |= {pk for pk, excluded, month in chunk if of(pk) != (excluded, month)}
    return recount(due, now=now)


def recount_held(*, now: datetime) -> int:
    """Recount the customers who wait for an exchange rate."""
    return recount(_waiting(), now=now)


def stripe_changed(customer_ids: set[str], **_: Any) -> None:
    """Follow what came from Stripe."""
    recount(customer_ids)


def _waiting() -> set[str]:
    held = MrrMovement.objects.filter(kind=MovementKind.HELD)
    return set(held.values_list("customer_id", flat=True))


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Keep the collector from searching a step's JSON for cycles: there are none, and it costs."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _frame(now: datetime) -> Frame:
    reporting = revenue_settings.currency_in_force()
    return Frame(reporting, definitions.calendar(), now, Rates(reporting))


def _frozen_rates(customer_ids: Collection[str] | None) -> Frozen:
    rows = MrrMovement.objects.exclude(fx_rate=None)
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=customer_ids)
    known = rows.values_list("customer_id", "day", "currency", "fx_rate")
    return {
        (customer_id, day.toordinal(), currency): rate
        for customer_id, day, currency, rate in known.iterator()
        if rate is not None
    }


def _replace(cursor: psycopg.Cursor, customer_ids: Sequence[str], rows: LedgerRows) -> int:
    """Put new rows in the place of the old ones; return how many movements went or came."""
    kept: dict[str, list[Row]] = {}
    cursor.execute(
        f"SELECT {_MOVEMENT} FROM billing_mrrmovement WHERE customer_id = ANY(%s)"
        " ORDER BY customer_id, day, currency",
        [list(customer_ids)],
    )
    for row in cursor.fetchall():
        kept.setdefault(row[0], []).append(row)
    were_excluded = dict(
        RevenueCustomer.objects.filter(pk__in=customer_ids).values_list("pk", "excluded")
    )
    are_excluded = {row[0]: row[-1] for row in rows.customers}
    changed = {
        one
        for one in customer_ids
        if kept.get(one, []) != rows.movements.get(one, [])
        or were_excluded.get(one) != are_excluded.get(one)
    }
    gone = sum(len(kept.get(one, ())) for one in changed)
    whose = {"customers": list(changed)}
    count = _COUNT.format(sign="%(sign)s", whose="customer_id = ANY(%(customers)s)")
    cursor.execute(count, whose | {"sign": -1})
    cursor.execute("DELETE FROM billing_mrrmovement WHERE customer_id = ANY(%(customers)s)", whose)
    for table in "revenuecustomer heldobject subscriptionstart".split():
        cursor.execute(
            f"DELETE FROM billing_{table} WHERE customer_id = ANY(%s)", [list(customer_ids)]
        )
    rows.movements = {one: rows.movements[one] for one in rows.movements if one in changed}
    come = _add(cursor, rows)
    cursor.execute(count, whose | {"sign": 1})
    cursor.execute(_FORGET_EMPTY_DAYS)
    return max(gone, come)


def _add(cursor: psycopg.Cursor, rows: LedgerRows) -> int:
    movements = [_line(row) for theirs in rows.movements.values() for row in theirs]
    _copy(cursor, f"billing_mrrmovement ({_MOVEMENT})", movements)
    _copy(cursor, f"billing_revenuecustomer ({_CUSTOMER})", _lines(rows.customers))
    starts = {row[0]: row for row in rows.starts}.values()
    cursor.execute(
        "DELETE FROM billing_subscriptionstart WHERE subscription_id = ANY(%s)",
        [[row[0] for row in starts]],
    )
    columns = "subscription_id, customer_id, created_at"
    _copy(cursor, f"billing_subscriptionstart ({columns})", _lines(starts))
    _hold(rows.held)
    return len(movements)


def _copy(cursor: psycopg.Cursor, into: str, lines: Iterable[str]) -> None:
    """Write rows as COPY's text, which costs less than adapting each value."""
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        copy.write("".join(lines))


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    return ("\t".join(map(_text, row)) + "\n" for row in rows)


def _line(movement: Row) -> str:
    """Return the line of a movement: most of its values need no escaping."""
    customer_id, day, kind, amount, currency, original, rate, opening, closing, ids = movement
    rate = r"\N" if rate is None else rate
    return (
        f"{_text(customer_id)}\t{day}\t{kind}\t{amount}\t{currency}\t{original}\t{rate}"
        f"\t{opening}\t{closing}\t{_text(_array(ids))}\n"
    )


def _text(value: object) -> str:
    if value is None:
        return r"\N"
    return value.translate(_ESCAPED) if isinstance(value, str) else str(value)


def _array(texts: Iterable[str]) -> str:
    """Return PostgreSQL's text form of an array of texts, which costs less than adapting each."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def _hold(held: Iterable[tuple[str, Held]]) -> None:
    HeldObject.objects.bulk_create(
        (
            HeldObject(
                customer_id=customer_id, stripe_id=one.stripe_id, field=one.field, reason=one.reason
            )
            for customer_id, one in held
        ),
        ignore_conflicts=True,
    )
