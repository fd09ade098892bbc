"""The registry of KPI sources: how each KPI is measured, and the people in its numbers.

Sources are registered in `AppConfig.ready`. A KPI of the catalogue without one has no data.
"""

from datetime import date

from django.db.models import QuerySet

from analytics.models import Person
from analytics.rollups import counters
from operational.calculations.catalogue import CATALOGUE, KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement
from operational.kpis import goals
from operational.kpis.sources.base import KpiSource, NotConnected

_SOURCES: dict[str, KpiSource] = {}


def register(kpi_slug: str, source: KpiSource) -> None:
    """Measure a KPI of the catalogue with a source; each has one."""
    if kpi_slug not in CATALOGUE:
        raise ValueError(f"{kpi_slug!r} is not in the catalogue of KPIs.")
    if kpi_slug in _SOURCES:
        raise ValueError(f"{kpi_slug!r} already has a source.")
    _SOURCES[kpi_slug] = source


def source_of(kpi_slug: str) -> KpiSource:
    return _SOURCES.get(kpi_slug) or NotConnected(CATALOGUE[kpi_slug].source)


def read_ahead(*, as_of: date) -> None:
    """Read the counters of all KPIs with one query, for use within `reading_together`."""
    counters.totals([span for source in _SOURCES.values() for span in source.spans(as_of=as_of)])


def measure(kpi_slug: str, *, as_of: date, goal: Goal) -> Measurement:
    return source_of(kpi_slug).measure(as_of=as_of, goal=goal)


def related_figures(kpi_slug: str, *, as_of: date) -> tuple[Figure, ...]:
    """Return figures that help to read a KPI, such as the median time to activation."""
    return source_of(kpi_slug).related_figures(as_of=as_of)


def people(kpi_slug: str, *, as_of: date, group: str) -> QuerySet[Person]:
    """Return the persons of a `KpiGroup` of a KPI; empty if it has no list of persons."""
    goal = goals.in_force()[kpi_slug]
    return source_of(kpi_slug).people(as_of=as_of, goal=goal, group=KpiGroup(group))
