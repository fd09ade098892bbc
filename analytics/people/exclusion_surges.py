"""A health check: more persons became excluded within an hour than in a usual month.

Only exclusions by events count: what staff decide, they have seen a preview of. A surge is reported
until staff have reviewed it, by including the persons again or confirming their exclusion, and at
most for a week.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMinute, TruncMonth

from analytics.calculations.people.exclusion_surge import (
    FLOOR,
    MONTHS,
    Surge,
    busiest_hour,
    usual_month,
)
from analytics.models import Exclusion
from common.calculations.calendar import month_before
from common.calculations.health import Component, Health
from common.formatting import counted, number, utc_moment

REPORTED_FOR = timedelta(days=7)
CRITICAL_FACTOR = 10  # times a usual month
MAX_NAMES = 5
PAGE = "admin:analytics_exclusion_changelist"
_REMEDY = (
    "Check them under Exclusions: include the persons again, or confirm that their exclusion is"
    " right."
)


def exclusions(now: datetime) -> Iterator[Component]:
    """Check whether unusually many persons became excluded."""
    surge = _busiest_hour(now)
    usually = usual(now) if surge and surge.persons > FLOOR else FLOOR
    if surge is None or surge.persons <= usually:
        yield Component("exclusions", Health.OK, "As many persons as usual become excluded.")
        return
    health = Health.CRITICAL if surge.persons > CRITICAL_FACTOR * usually else Health.WARNING
    detail = " ".join([_how_many(surge, usually), _why(surge), _who(surge)])
    yield Component("exclusions", health, detail, surge.start, _REMEDY, PAGE)


def _busiest_hour(now: datetime) -> Surge | None:
    """Return the busiest hour among the exclusions that staff have not reviewed."""
    since = now - REPORTED_FOR
    minutes = _to_review().filter(began_at__gt=since).annotate(minute=TruncMinute("began_at"))
    return busiest_hour(dict(minutes.values_list("minute").annotate(Count("pk")).order_by()))


def usual(now: datetime) -> float:
    """Return how many persons events exclude in a usual month, of the last complete ones."""
    months = _last_months(now)
    start = datetime(*months[0].timetuple()[:3], tzinfo=UTC)
    recorded = Exclusion.objects.filter(cause=Exclusion.Cause.ARRIVAL, began_at__gte=start)
    by_month = recorded.annotate(month=TruncMonth("began_at", tzinfo=UTC)).order_by()
    counts = {time.date(): n for time, n in by_month.values_list("month").annotate(Count("pk"))}
    first = min(counts, default=months[0])
    return usual_month([counts.get(month, 0) for month in months if month >= first])


def _last_months(now: datetime) -> list[date]:
    """Return the first days of the last complete months, oldest first."""
    month = now.astimezone(UTC).date().replace(day=1)
    months: list[date] = []
    for _ in range(MONTHS):
        month = month_before(month)
        months.insert(0, month)
    return months


def _to_review() -> QuerySet[Exclusion]:
    """Return the exclusions by events that staff have neither ended nor confirmed."""
    return Exclusion.objects.filter(cause=Exclusion.Cause.ARRIVAL, ended_at=None, kept_at=None)


def _in(surge: Surge) -> QuerySet[Exclusion]:
    return _to_review().filter(began_at__gte=surge.start, began_at__lt=surge.end)


def _how_many(surge: Surge, usually: float) -> str:
    return (
        f"{counted(surge.persons, 'person')} became excluded within an hour of"
        f" {utc_moment(surge.start)}; usual are up to {number(usually)} a month."
    )


def _why(surge: Surge) -> str:
    """Return how many each rule excluded, and how many of them by values that are only claimed."""
    rules = _in(surge).values_list("rule", "proved").annotate(persons=Count("pk"))
    rows = rules.order_by("-persons", "rule")
    return " ".join(_by_rule(*row) for row in rows[:MAX_NAMES])


def _by_rule(rule: str, proved: bool | None, persons: int) -> str:
    if not rule:
        return f"Merged with a person excluded by hand: {number(persons)}."
    return f"Rule “{rule}”, by {'proved' if proved else 'claimed'} values: {number(persons)}."


def _who(surge: Surge) -> str:
    """Return some of the persons by number: messages outlive an erased person."""
    ids = _in(surge).order_by("-pk").values_list("person_id", flat=True)[:MAX_NAMES]
    names = ", ".join(f"person {pk}" for pk in ids)
    more = surge.persons - len(ids)
    return f"{names} and {number(more)} more." if more > 0 else f"{names}."
