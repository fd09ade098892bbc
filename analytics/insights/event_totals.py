"""Totals of persons' events, read from the events themselves.

The event table's key begins with the person and the time, so the total of one person and period
touches no other person's rows.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.calculations.event_totals import LARGEST_AMOUNT, Aggregation, EventTotal
from analytics.models.event import READABLE_PROPERTIES

_VALUE = f"({READABLE_PROPERTIES} -> %(property)s)"
# Lazily evaluated, so that only numbers are cast.
_AMOUNT = f"""
CASE WHEN jsonb_typeof({_VALUE}) = 'number'
     THEN CASE WHEN {_VALUE}::numeric > 0 AND {_VALUE}::numeric <= %(largest)s
               THEN {_VALUE}::numeric END END
"""
# `only` is a filter of the events that count, or "".
_TOTALS = {
    Aggregation.COUNT: "(count(*) {only})::numeric",
    # JSON values: 1 and 1.0 are the same, 1 and "1" are not; null is not a value.
    Aggregation.DISTINCT: f"(count(DISTINCT nullif({_VALUE}, 'null')) {{only}})::numeric",
    Aggregation.SUM: f"coalesce(sum({_AMOUNT}) {{only}}, 0)",
}
_IGNORED = {
    Aggregation.COUNT: "0::bigint",
    Aggregation.DISTINCT: "0::bigint",
    Aggregation.SUM: f"count(*) {{only}} - count({_AMOUNT}) {{only}}",
}


def person_total_sql(total: EventTotal) -> str:
    """Return a SELECT of a person's `total`, `ignored` and `claimed`.

    Ignored are counted events whose property is not an amount; claimed are those that do not count
    because only proved ones do. Its parameters are `person` and those of `parameters_of`.
    """
    only_proved = _only_proved_count(total, "%(person)s")
    return f"""
    SELECT {_by_proof(_TOTALS, total, only_proved)} AS total,
           {_by_proof(_IGNORED, total, only_proved)} AS ignored,
           CASE WHEN {only_proved} THEN count(*) FILTER (WHERE NOT proved) ELSE 0 END AS claimed
    FROM analytics_event WHERE person_id = %(person)s AND {_condition(total)}
    """


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
    value = _by_proof(_TOTALS, total, _only_proved_count(total, "analytics_event.person_id"))
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


def _by_proof(templates: Mapping[Aggregation, str], total: EventTotal, only_proved: str) -> str:
    """Return an aggregate over the events that count, from those of `_condition`."""
    aggregate = templates[total.aggregation]
    proved, every = (aggregate.format(only=only) for only in ("FILTER (WHERE proved)", ""))
    return f"CASE WHEN {only_proved} THEN {proved} ELSE {every} END"


def _only_proved_count(total: EventTotal, person: str) -> str:
    """Return a condition: whether only proved events of a person count.

    PostgreSQL folds a constant, and looks a person up once, not for each event.
    """
    if total.claims_count:
        return "false"
    ids = "SELECT FROM analytics_distinctid AS id"
    return f"EXISTS ({ids} WHERE id.person_id = {person} AND id.proved)"


def _condition(total: EventTotal) -> str:
    event = "event = %(event)s" if total.event else "event <> ALL(%(excluded_events)s)"
    before = " AND timestamp < %(end)s" if total.end else ""
    return f"{event} AND timestamp >= %(start)s{before}"
