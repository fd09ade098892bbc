"""What a KPI source provides."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from django.db.models import QuerySet

from analytics.insights.cohorts import no_persons
from analytics.models import Person
from analytics.rollups.counters import Span
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement, no_data

WINDOW_DAYS = 30


class KpiSource(Protocol):
    """Measures one KPI as of the end of a complete day, from counters and never from events."""

    def measure(self, *, as_of: date, goal: Goal) -> Measurement: ...

    def spans(self, *, as_of: date) -> Sequence[Span]:
        """Return the counters that it reads, so that one statement reads those of all KPIs."""
        ...

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        """Return figures that help to read the KPI."""
        ...

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        """Return the persons of a group of the KPI's numbers."""
        ...


class NotConnected:
    """The source of a KPI whose data is not collected yet, such as "referrals"."""

    def __init__(self, data: str) -> None:
        self.reason = f"No {data} are recorded."

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        return no_data(self.reason)

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return ()

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        return ()

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        return no_persons()


def signup_window(as_of: date, *, age: int) -> tuple[date, date]:
    """Return the first and last of 30 signup days, the last of them `age` days old."""
    last = as_of - timedelta(days=age)
    return last - timedelta(days=WINDOW_DAYS - 1), last


def no_signups_reason(first: date, last: date) -> str:
    return f"No one signed up from {first} to {last}."
