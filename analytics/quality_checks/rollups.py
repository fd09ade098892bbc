"""Whether the roll-ups agree with the raw events: a bounded sample, a different one each time."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from analytics.models import Person
from analytics.rollups import definitions, rebuild
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted, number

SAMPLE = 200  # persons
DAYS = 90


class RollupsAgainstEvents(Check):
    slug = "rollups"
    name = "Roll-ups agree with the raw events"
    family = "Roll-ups"
    remedy = (
        "manage.py rebuild_rollups --check lists all differences; without --check it repairs them."
    )

    def run(self, *, now: datetime) -> Finding:
        persons = _sample(now)
        if not persons or definitions.rebuild_needed():
            return NO_DATA
        examples = [
            *(
                Example(f"person {pk}: milestones or days", "admin:analytics_person_change", pk)
                for pk in rebuild.differing_persons(persons)
            ),
            *(Example(text, "analytics:events-page") for text in _differing_days(now)),
            *(Example(text) for text in _differing_signups(now)),
        ]
        if not examples:
            return PASSED
        sample = counted(len(persons), "person")
        detail = f"Differences in a sample of {sample}: {counted(len(examples), 'roll-up')}."
        return Finding(CheckVerdict.FAIL, len(examples), detail, examples[:5])


def _sample(now: datetime) -> list[int]:
    """Return consecutive persons, starting at an id that advances every hour."""
    newest = Person.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    hours = int(now.timestamp() // 3600)
    start = hours * SAMPLE % max(newest, 1)
    persons = Person.objects.order_by("pk").values_list("pk", flat=True)
    chosen = list(persons.filter(pk__gte=start)[:SAMPLE])
    return chosen + list(persons.filter(pk__lt=start)[: SAMPLE - len(chosen)])


_DAY = """
SELECT coalesce(counted.event, kept.event), coalesce(counted.value, 0), coalesce(kept.value, 0)
FROM (
    SELECT event, count(*) AS value FROM analytics_event
    JOIN analytics_person ON analytics_person.id = person_id AND NOT excluded
    WHERE timestamp >= %s AND timestamp < %s GROUP BY event
) AS counted
FULL JOIN (
    SELECT event, value FROM analytics_eventday WHERE day = %s AND value <> 0
) AS kept USING (event)
WHERE counted.value IS DISTINCT FROM kept.value
ORDER BY 1
"""

_SIGNUPS = """
SELECT coalesce(counted.day, kept.day), coalesce(counted.value, 0), coalesce(kept.value, 0)
FROM (
    SELECT (signup_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS value
    FROM analytics_person
    WHERE signup_at >= %(start)s AND signup_at < %(end)s AND NOT excluded AND has_profile
    GROUP BY 1
) AS counted
FULL JOIN (
    SELECT day, value FROM analytics_counter
    WHERE name = 'signup' AND number = 0 AND value <> 0 AND day BETWEEN %(first)s AND %(last)s
) AS kept USING (day)
WHERE counted.value IS DISTINCT FROM kept.value
ORDER BY 1
"""


def _differing_days(now: datetime) -> list[str]:
    day = definitions.last_complete_day(now)
    with connection.cursor() as cursor:
        cursor.execute(_DAY, [*definitions.calendar().span(day, day), day])
        return [
            f"{event} on {day}: {counted(actual, 'event')}, {number(stored)} counted"
            for event, actual, stored in cursor.fetchall()
        ]


def _differing_signups(now: datetime) -> list[str]:
    last = definitions.last_complete_day(now)
    first = last - timedelta(days=DAYS)
    start, end = definitions.calendar().span(first, last)
    zone = definitions.in_force().time_zone
    values: dict[str, Any] = {
        "zone": zone,
        "start": start,
        "end": end,
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SIGNUPS, values)
        return [
            f"signups of {day}: {counted(actual, 'person')}, {number(stored)} counted"
            for day, actual, stored in cursor.fetchall()
        ]
