"""A health check: more persons became excluded within an hour than in a usual month.

Only exclusions by events count: what staff decide, they have seen a preview of. A surge is reported
until staff have reviewed it, by including the persons again or confirming their exclusion, and at
most for a week.
"""

import operator
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, pairwise

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMinute

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
    usually = usual(now, compared_with=surge.persons if surge else 0)
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


def usual(now: datetime, *, compared_with: int) -> float:
    """Return how many persons events exclude in a usual month, of the last complete ones.

    Each month is counted up to twice the number to compare with, which decides the comparison, so
    that busy months cost no more. A median below that number is exact.
    """
    if compared_with <= FLOOR:
        return FLOOR
    counts = [
        _by_events().filter(began_at__gte=start, began_at__lt=end)[: 2 * compared_with].count()
        for start, end in pairwise(_starts_of_months(now))
    ]
    return usual_month([*dropwhile(operator.not_, counts)])


def _starts_of_months(now: datetime) -> list[datetime]:
    """Return the starts of the last complete months, oldest first, and of the current one."""
    days = [now.astimezone(UTC).date().replace(day=1)]
    for _ in range(MONTHS):
        days.insert(0, month_before(days[0]))
    return [datetime(day.year, day.month, 1, tzinfo=UTC) for day in days]


def _to_review() -> QuerySet[Exclusion]:
    """Return the exclusions by events that staff have neither ended nor confirmed."""
    return _by_events().filter(ended_at=None, kept_at=None)


def _by_events() -> QuerySet[Exclusion]:
    return Exclusion.objects.filter(cause=Exclusion.Cause.ARRIVAL)


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
