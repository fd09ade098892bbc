"""Anomalies: a day's unusual volume or mix of events, and persons who act like bots."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Sum

from analytics.calculations import drift
from analytics.calculations.anomalies import is_robot, weekday_baseline
from analytics.models import EventDay
from analytics.people import exclusions
from analytics.rollups import definitions
from common.data_quality import (
    NO_DATA,
    PASSED,
    Check,
    CheckVerdict,
    Example,
    Finding,
    RepairableCheck,
)
from common.formatting import counted, decimals, number, percent

MAX_EXAMPLES = 5
WEEKS = 8
MOST_NAMES = 50  # of events, those that happen most


class UnusualVolume(Check):
    slug = "unusual_volume"
    name = "Unusual number of events"
    family = "Anomalies"
    remedy = (
        "Check the events page: did the last release rename an event, send it twice, or stop"
        " sending it?"
    )

    def run(self, *, now: datetime) -> Finding:
        last = definitions.last_complete_day(now)
        days = [last - timedelta(weeks=week) for week in range(WEEKS + 1)]
        start = _first_day()
        if start is None or start > last:
            return NO_DATA
        past_days = [day for day in days[1:] if day >= start]
        counts = _counts(days)
        examples = []
        for event, by_day in counts.items():
            baseline = weekday_baseline([by_day.get(day, 0) for day in past_days])
            value = by_day.get(last, 0)
            if baseline and baseline.is_unusual(value):
                usual = decimals(baseline.usual, 0)
                text = f"{event}: {number(value)} on {last}, usually {usual} on that weekday"
                examples.append(Example(text, "analytics:events-page"))
        if not examples:
            return PASSED
        detail = f"Unusually frequent or rare on {last}: {counted(len(examples), 'event')}."
        return Finding(CheckVerdict.WARNING, len(examples), detail, examples[:MAX_EXAMPLES])


class EventMix(Check):
    slug = "event_mix"
    name = "Mix of events"
    family = "Anomalies"
    remedy = (
        "Check the events page: was an event renamed, added or removed, or did a part of the"
        " product stop sending events?"
    )

    def run(self, *, now: datetime) -> Finding:
        last = definitions.last_complete_day(now)
        week = last - timedelta(days=6)
        before = _mix(week - timedelta(weeks=4), week - timedelta(days=1))
        actual = _mix(week, last)
        parts = drift.psi(before, actual)
        if parts is None:
            return NO_DATA
        index = sum(parts.values())
        if index <= drift.CHANGED:
            return PASSED
        moved = sorted(parts, key=lambda event: (-parts[event], event))[:MAX_EXAMPLES]
        then, now_ = sum(before.values()), sum(actual.values())
        examples = [
            Example(
                f"{event}: {percent(actual.get(event, 0) / now_, 0)} of the week's events,"
                f" {percent(before.get(event, 0) / then, 0)} of the four weeks before",
                "analytics:events-page",
            )
            for event in moved
        ]
        affected = sum(part > drift.CHANGED / 10 for part in parts.values())
        detail = (
            f"The mix of the last 7 days differs from the 4 weeks before: PSI {decimals(index)}."
        )
        return Finding(CheckVerdict.WARNING, affected, detail, examples)


def _mix(first: date, last: date) -> dict[str, int]:
    rows = EventDay.objects.filter(day__range=(first, last), value__gt=0)
    return dict(rows.values_list("event").annotate(Sum("value")))


def _first_day() -> date | None:
    first = EventDay.objects.filter(value__gt=0).order_by("day").values_list("day", flat=True)
    return first.first()


def _counts(days: Sequence[date]) -> dict[str, dict[date, int]]:
    rows = EventDay.objects.filter(day__in=days)
    most = rows.values("event").annotate(events=Sum("value")).order_by("-events", "event")
    names = [row["event"] for row in most[:MOST_NAMES]]
    counts: dict[str, dict[date, int]] = {name: {} for name in names}
    for row in rows.filter(event__in=names):
        counts[row.event][row.day] = row.value
    return counts


# One day's events, so bounded; BRIN finds them.
_EVENT_INTERVALS = """
WITH gaps AS (
    SELECT person_id, date_trunc('hour', timestamp) AS hour, extract(
        epoch FROM timestamp - lag(timestamp) OVER (PARTITION BY person_id ORDER BY timestamp)
    ) AS gap
    FROM analytics_event WHERE timestamp >= %s AND timestamp < %s
), hours AS (
    SELECT person_id, count(*) AS events, sum(gap) AS gaps, sum(gap * gap) AS squares,
           count(gap) AS number
    FROM gaps GROUP BY person_id, hour
)
SELECT person_id, sum(events), max(events), sum(gaps) / sum(number),
       sqrt(greatest(sum(squares) / sum(number) - (sum(gaps) / sum(number)) ^ 2, 0))
FROM hours JOIN analytics_person ON id = person_id AND NOT excluded
GROUP BY person_id HAVING sum(events) >= 100 ORDER BY 2 DESC, 1
"""


class Bots(RepairableCheck):
    slug = "bots"
    name = "Possible bots"
    family = "Anomalies"
    remedy = "Check each person, and exclude bots from all metrics, here or by an exclusion rule."
    repair_label = "Exclude these persons"

    def run(self, *, now: datetime) -> Finding:
        if _first_day() is None:
            return NO_DATA
        bots = self._bots(now)
        if not bots:
            return PASSED
        detail = (
            "Active faster or more regularly than humans on"
            f" {definitions.last_complete_day(now)}: {counted(len(bots), 'person')}."
        )
        return Finding(CheckVerdict.WARNING, len(bots), detail, _examples(bots)[:MAX_EXAMPLES])

    def preview(self, *, now: datetime) -> Sequence[Example]:
        return _examples(self._bots(now))

    def repair(self, *, now: datetime, by: str) -> int:
        bots = self._bots(now)
        exclusions.decide([person_id for person_id, _ in bots], excluded=True, by=by)
        return len(bots)

    def _bots(self, now: datetime) -> list[tuple[int, int]]:
        day = definitions.last_complete_day(now)
        with connection.cursor() as cursor:
            cursor.execute(_EVENT_INTERVALS, definitions.calendar().span(day, day))
            return [
                (person_id, int(events))
                for person_id, events, busiest, gap, deviation in cursor.fetchall()
                if is_robot(
                    events=int(events),
                    busiest_hour=busiest,
                    mean_gap=float(gap or 0),
                    gap_deviation=float(deviation or 0),
                )
            ]


def _examples(bots: Sequence[tuple[int, int]]) -> list[Example]:
    return [
        Example(f"person {pk}: {counted(events, 'event')}", "admin:analytics_person_change", pk)
        for pk, events in bots
    ]
