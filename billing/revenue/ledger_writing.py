"""Write the rows of the MRR ledger, and keep the sums of its days."""

from collections.abc import Iterable, Iterator, Sequence

import psycopg

from billing.calculations.versions.subscription_versions import Held
from billing.models import COUNTED, HeldObject, MrrDay, RevenueCustomer
from billing.revenue.customer_churn import COUNT_LOST
from billing.revenue.ledger_rows import LedgerRows, Row

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_MOVEMENT = (
    "customer_id, day, kind, amount, currency, original_amount, fx_rate, opening, closing, sources"
)
_CUSTOMER = (
    "customer_id, mrr, at_risk, scheduled_churn, with_tax, ends_on, changes_on, signup_month,"
    " refers_to, excluded"
)
# {sign} is 1 or -1, {condition} selects some customers.
_COUNT = f"""
INSERT INTO billing_mrrday (day, {", ".join(MrrDay.MOVEMENTS)})
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
WHERE {COUNTED} AND kind <> 'held' AND {{condition}}
GROUP BY day
ON CONFLICT (day) DO UPDATE SET
    {", ".join(f"{name} = billing_mrrday.{name} + EXCLUDED.{name}" for name in MrrDay.MOVEMENTS)}
"""
_COUNTS = _COUNT, COUNT_LOST
_SUMS = MrrDay.MOVEMENTS + MrrDay.CHURN
_DELETE_EMPTY_DAYS = (
    f"DELETE FROM billing_mrrday WHERE ({', '.join(_SUMS)}) = ({', '.join('0' * len(_SUMS))})"
)


def delete_all(cursor: psycopg.Cursor) -> None:
    for table in "mrrmovement revenuecustomer mrrday heldobject subscriptionstart".split():
        cursor.execute(f"DELETE FROM billing_{table}")


def sum_all_days(cursor: psycopg.Cursor) -> None:
    """Compute the sums of all days from the movements."""
    for count in _COUNTS:
        cursor.execute(count.format(sign=1, condition="true"))
    cursor.execute(_DELETE_EMPTY_DAYS)


def replace(cursor: psycopg.Cursor, customer_ids: Sequence[str], rows: LedgerRows) -> int:
    """Replace the rows of some customers; return how many movements were removed or added."""
    kept = _movements(cursor, customer_ids)
    changed = _changed(customer_ids, kept, rows)
    removed = sum(len(kept.get(customer_id, ())) for customer_id in changed)
    customers = list(changed)
    _count(cursor, customers, sign=-1)
    cursor.execute("DELETE FROM billing_mrrmovement WHERE customer_id = ANY(%s)", [customers])
    for table in "revenuecustomer heldobject subscriptionstart".split():
        cursor.execute(
            f"DELETE FROM billing_{table} WHERE customer_id = ANY(%s)", [list(customer_ids)]
        )
    rows.movements = {
        customer_id: movements
        for customer_id, movements in rows.movements.items()
        if customer_id in changed
    }
    added = add(cursor, rows)
    _count(cursor, customers, sign=1)
    cursor.execute(_DELETE_EMPTY_DAYS)
    return max(removed, added)


def _count(cursor: psycopg.Cursor, customers: list[str], *, sign: int) -> None:
    """Add the movements of some customers to the sums of their days, or subtract them."""
    for count in _COUNTS:
        statement = count.format(sign=sign, condition="customer_id = ANY(%s)")
        cursor.execute(statement, [customers])


def _movements(cursor: psycopg.Cursor, customer_ids: Sequence[str]) -> dict[str, list[Row]]:
    cursor.execute(
        f"SELECT {_MOVEMENT} FROM billing_mrrmovement WHERE customer_id = ANY(%s)"
        " ORDER BY customer_id, day, currency",
        [list(customer_ids)],
    )
    movements: dict[str, list[Row]] = {}
    for row in cursor.fetchall():
        movements.setdefault(row[0], []).append(row)
    return movements


def _changed(customer_ids: Sequence[str], kept: dict[str, list[Row]], rows: LedgerRows) -> set[str]:
    """Return the customers whose movements differ, or who were excluded or included again."""
    were_excluded = dict(
        RevenueCustomer.objects.filter(pk__in=customer_ids).values_list("pk", "excluded")
    )
    are_excluded = {row[0]: row[-1] for row in rows.customers}
    return {
        customer_id
        for customer_id in customer_ids
        if kept.get(customer_id, []) != rows.movements.get(customer_id, [])
        or were_excluded.get(customer_id) != are_excluded.get(customer_id)
    }


def add(cursor: psycopg.Cursor, rows: LedgerRows) -> int:
    """Write rows of customers that have none; return the number of movements."""
    movements = [_line(row) for of_customer in rows.movements.values() for row in of_customer]
    _copy(cursor, f"billing_mrrmovement ({_MOVEMENT})", movements)
    _copy(cursor, f"billing_revenuecustomer ({_CUSTOMER})", _lines(rows.customers))
    starts = {row[0]: row for row in rows.starts}.values()
    cursor.execute(
        "DELETE FROM billing_subscriptionstart WHERE subscription_id = ANY(%s)",
        [[row[0] for row in starts]],
    )
    columns = "subscription_id, customer_id, created_at"
    _copy(cursor, f"billing_subscriptionstart ({columns})", _lines(starts))
    hold(rows.held)
    return len(movements)


def hold(held: Iterable[tuple[str, Held]]) -> None:
    """Store the objects that could not be used, by customer."""
    HeldObject.objects.bulk_create(
        (
            HeldObject(
                customer_id=customer_id, stripe_id=row.stripe_id, field=row.field, reason=row.reason
            )
            for customer_id, row in held
        ),
        ignore_conflicts=True,
    )


def _copy(cursor: psycopg.Cursor, into: str, lines: Iterable[str]) -> None:
    """Write rows in COPY's text format, which costs less than adapting each value."""
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
    if isinstance(value, tuple):
        value = _array(value)
    return value.translate(_ESCAPED) if isinstance(value, str) else str(value)


def _array(texts: Iterable[str]) -> str:
    """Return PostgreSQL's text format of a text array, which costs less than adapting each text."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
