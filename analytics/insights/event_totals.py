"""Totals of persons' events, read from the events themselves.

The event table's key begins with the person and the time, so the total of one person and period
touches no other person's rows.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.calculations.event_totals import LARGEST_AMOUNT, Aggregation, EventTotal

# Lazily evaluated, so that only numbers are cast.
_AMOUNT = """
CASE WHEN jsonb_typeof(properties -> %(property)s) = 'number'
     THEN CASE WHEN (properties -> %(property)s)::numeric > 0
                AND (properties -> %(property)s)::numeric <= %(largest)s
               THEN (properties -> %(property)s)::numeric END END
"""
_TOTALS = {
    Aggregation.COUNT: "count(*)::numeric",
    # JSON values: 1 and 1.0 are the same, 1 and "1" are not; null is not a value.
    Aggregation.DISTINCT: "count(DISTINCT nullif(properties -> %(property)s, 'null'))::numeric",
    Aggregation.SUM: f"coalesce(sum({_AMOUNT}), 0)",
}
_IGNORED = {
    Aggregation.COUNT: "0::bigint",
    Aggregation.DISTINCT: "0::bigint",
    Aggregation.SUM: f"count(*) - count({_AMOUNT})",
}


def person_total_sql(total: EventTotal) -> str:
    """Return a SELECT of a person's `total` and `ignored`: events whose property is not an amount.

    Its parameters are `person` and those of `parameters_of`.
    """
    return (
        f"SELECT {_TOTALS[total.aggregation]} AS total, {_IGNORED[total.aggregation]} AS ignored"
        f" FROM analytics_event WHERE person_id = %(person)s AND {_condition(total)}"
    )


def parameters_of(total: EventTotal) -> dict[str, Any]:
    return {
        "event": total.event,
        "excluded_events": list(total.excluded_events),
        "property": total.property,
        "largest": LARGEST_AMOUNT,
        "start": total.start,
        "end": total.end,
    }


def totals_by_person(
    total: EventTotal, *, at_least: Decimal | int, active_since: datetime | None = None
) -> dict[int, Decimal]:
    """Return the persons with a total of `at_least`, highest total first.

    `active_since` leaves only persons with any event since then.
    """
    recent = "SELECT person_id FROM analytics_event WHERE timestamp >= %(since)s"
    some = f"AND person_id IN ({recent})" if active_since else ""
    value = _TOTALS[total.aggregation]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT person_id, {value} AS total FROM analytics_event
            WHERE {_condition(total)} {some}
            GROUP BY person_id HAVING {value} >= %(at_least)s
            ORDER BY total DESC, person_id
            """,
            parameters_of(total) | {"at_least": at_least, "since": active_since},
        )
        return dict(cursor.fetchall())


def _condition(total: EventTotal) -> str:
    event = "event = %(event)s" if total.event else "event <> ALL(%(excluded_events)s)"
    before = " AND timestamp < %(end)s" if total.end else ""
    return f"{event} AND timestamp >= %(start)s{before}"
