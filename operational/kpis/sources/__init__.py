"""KPI sources: how each KPI is measured, and the people in its numbers.

Apps register them with `extension_points.kpi_sources`. A KPI of the catalogue without a source has
no data.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

from django.db import DatabaseError
from django.db.models import QuerySet

from analytics.models import Person
from analytics.rollups.counters import Span
from common.calculations.statistics import Status
from common.formatting import error_line
from operational.calculations.catalogue import CATALOGUE, KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement
from operational.extension_points import kpi_sources
from operational.kpis import goals
from operational.kpis.sources.base import KpiSource, NotConnected

logger = logging.getLogger(__name__)


@cache
def _sources() -> Mapping[str, KpiSource]:
    return merged(kpi_sources)


def merged(registered: Iterable[Mapping[str, KpiSource]]) -> Mapping[str, KpiSource]:
    """Return a source for each KPI; raise ValueError for a duplicate or an unknown KPI."""
    sources: dict[str, KpiSource] = {}
    for slug, source in (item for mapping in registered for item in mapping.items()):
        if slug not in CATALOGUE:
            raise ValueError(f"{slug!r} is not in the catalogue of KPIs.")
        if slug in sources:
            raise ValueError(f"{slug!r} already has a source.")
        sources[slug] = source
    return sources


def source_of(kpi_slug: str) -> KpiSource:
    return _sources().get(kpi_slug) or NotConnected(CATALOGUE[kpi_slug].source)


def spans(*, as_of: date) -> list[Span]:
    """Return the counters that the KPIs read, so that one statement reads all of them."""
    return [span for source in _sources().values() for span in source.spans(as_of=as_of)]


def measure(kpi_slug: str, *, as_of: date, goal: Goal) -> Measurement:
    """Measure a KPI; one that cannot be measured is held, with the reason."""
    try:
        return source_of(kpi_slug).measure(as_of=as_of, goal=goal)
    except DatabaseError:  # concerns all of them
        raise
    except Exception as error:
        logger.exception("The KPI %s could not be measured", kpi_slug)
        reason = f"It could not be measured: {error_line(error)}."
        return Measurement(Status.HELD, reason, is_broken=True)


def related_figures(kpi_slug: str, *, as_of: date) -> tuple[Figure, ...]:
    """Return figures that help to read a KPI, such as the median time to activation."""
    return source_of(kpi_slug).related_figures(as_of=as_of)


def people(kpi_slug: str, *, as_of: date, group: str) -> QuerySet[Person]:
    """Return the persons of a `KpiGroup` of a KPI; empty if it has no list of persons."""
    goal = goals.in_force()[kpi_slug]
    return source_of(kpi_slug).people(as_of=as_of, goal=goal, group=KpiGroup(group))
