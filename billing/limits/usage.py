"""What a person used of a meter, read from their events.

Events are the truth: whoever merges, erases, imports late or undoes a merge moves them, and the
usage follows, because nothing is kept beside them. The event table's key begins with the person
and the time, so that reading one person's period touches nobody else's rows.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.calculations.plan import Aggregation, Meter, Window
from billing.calculations.stripe_event import PERSON_EVENTS
from billing.calculations.usage import LARGEST_AMOUNT, Usage, outstanding

# Told by Plumbline itself, so they are nobody's use of the product.
WARNING_EVENT, REACHED_EVENT = "usage_limit_warning", "usage_limit_reached"
OWN_EVENTS = sorted({WARNING_EVENT, REACHED_EVENT} | PERSON_EVENTS)

# Lazily evaluated, so that only numbers are cast.
_AMOUNT = """
CASE WHEN jsonb_typeof(properties -> %(property)s) = 'number'
     THEN CASE WHEN (properties -> %(property)s)::numeric > 0
                AND (properties -> %(property)s)::numeric <= %(largest)s
               THEN (properties -> %(property)s)::numeric END END
"""
_AGGREGATES = {
    Aggregation.COUNT: "count(*)::numeric",
    # JSON values: 1 and 1.0 are the same, 1 and "1" are not; null is no value.
    Aggregation.DISTINCT: "count(DISTINCT nullif(properties -> %(property)s, 'null'))::numeric",
    Aggregation.SUM: f"coalesce(sum({_AMOUNT}), 0)",
}
_IGNORED = f"count(*) - count({_AMOUNT})"

_OPEN = """
SELECT coalesce(sum(amount), 0), max(up_to)
FROM billing_usagereservation JOIN analytics_distinctid USING (distinct_id)
WHERE person_id = %(person)s AND meter_id = %(meter)s
  AND period_start = %(start)s AND expires_at > %(now)s
"""
_NOTICED = """
SELECT coalesce(max(threshold), 0)
FROM billing_usagenotice JOIN analytics_distinctid USING (distinct_id)
WHERE person_id = %(person)s AND meter_id = %(meter)s
  AND period_start = %(start)s AND plan_id = (SELECT id FROM billing_plan WHERE slug = %(plan)s)
"""


def aggregate_of(meter: Meter) -> str:
    """Return the SQL that counts a meter's events; its parameters are those of `parameters_of`."""
    return _AGGREGATES[meter.aggregation]


def counted_by(meter: Meter, window: Window) -> str:
    """Return the SQL condition of the events that a meter counts in a window."""
    which = "event = %(event)s" if meter.event else "event <> ALL(%(own)s)"
    before = " AND timestamp < %(end)s" if window.end else ""
    return f"{which} AND timestamp >= %(start)s{before}"


def parameters_of(meter: Meter, window: Window) -> dict[str, Any]:
    return {
        "event": meter.event,
        "own": OWN_EVENTS,
        "property": meter.property,
        "largest": LARGEST_AMOUNT,
        "start": window.start,
        "end": window.end,
    }


def usage_of(
    person_id: int, windows: Mapping[Meter, Window], *, plan: str, now: datetime
) -> dict[str, Usage]:
    """Return a person's usage by meter, with what is reserved and told, in one query."""
    if not windows:
        return {}
    selects: list[str] = []
    values: dict[str, Any] = {"person": person_id, "plan": plan, "now": now}
    for number, (meter, window) in enumerate(windows.items()):
        select, parameters = _numbered(
            _usage(meter, window),
            {"meter": meter.id, "slug": meter.slug, **parameters_of(meter, window)},
            number,
        )
        selects.append(select)
        values |= parameters
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), values)
        return {slug: _as_usage(*row) for slug, *row in cursor.fetchall()}


def _usage(meter: Meter, window: Window) -> str:
    ignored = _IGNORED if meter.aggregation is Aggregation.SUM else "0::bigint"
    return f"""
    SELECT %(slug)s, used, ignored, open.*, noticed.* FROM (
        SELECT {aggregate_of(meter)} AS used, {ignored} AS ignored
        FROM analytics_event WHERE person_id = %(person)s AND {counted_by(meter, window)}
    ) AS usage, ({_OPEN}) AS open, ({_NOTICED}) AS noticed
    """


def _numbered(
    select: str, parameters: Mapping[str, Any], number: int
) -> tuple[str, dict[str, Any]]:
    """Give the parameters of one select names of their own."""
    for name in parameters:
        select = select.replace(f"%({name})s", f"%({name}_{number})s")
    return select, {f"{name}_{number}": value for name, value in parameters.items()}


def _as_usage(
    used: Decimal, ignored: int, amounts: Decimal, up_to: Decimal | None, noticed: int
) -> Usage:
    reserved = outstanding(used, amounts=amounts, up_to=up_to)
    return Usage(used=used, ignored=ignored, reserved=reserved, noticed=noticed)


def used_by_everybody(
    meter: Meter, window: Window, *, at_least: Decimal | int, active_since: datetime | None = None
) -> dict[int, Decimal]:
    """Return the persons who used a number or more in a window, with what they used."""
    recent = "SELECT person_id FROM analytics_event WHERE timestamp >= %(since)s"
    some = f"AND person_id IN ({recent})" if active_since else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT person_id, {aggregate_of(meter)} AS used
            FROM analytics_event WHERE {counted_by(meter, window)} {some}
            GROUP BY person_id HAVING {aggregate_of(meter)} >= %(at_least)s
            ORDER BY used DESC, person_id
            """,
            parameters_of(meter, window) | {"at_least": at_least, "since": active_since},
        )
        return dict(cursor.fetchall())
