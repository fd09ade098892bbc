"""How each KPI is measured, and the persons behind its numbers."""

from collections.abc import Mapping
from datetime import date

from django.db.models import QuerySet

from analytics.models import Person
from analytics.rollups import counters
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement
from operational.kpis import goals
from operational.kpis.sources.activation import ActivationSource, QuickActivationSource
from operational.kpis.sources.base import KpiSource, NotConnected
from operational.kpis.sources.growth import GrowthSource
from operational.kpis.sources.retention import RetentionSource
from operational.kpis.sources.revenue import ChurnSource, LtvCacSource

SOURCES: Mapping[str, KpiSource] = {
    "d7_retention": RetentionSource(7, beside=(1, 14)),
    "activation_rate": ActivationSource(),
    "d30_retention": RetentionSource(30, beside=(60, 90)),
    "ltv_cac": LtvCacSource(),
    "signup_activation": QuickActivationSource(),
    "growth_mom": GrowthSource(),
    "churn_rate": ChurnSource(),
    "viral_coefficient": NotConnected("No referrals are recorded."),
}


def read_ahead(*, as_of: date) -> None:
    """Read the counters of all KPIs with one query, for use within `reading_together`."""
    counters.totals([span for source in SOURCES.values() for span in source.spans(as_of=as_of)])


def measure(kpi_slug: str, *, as_of: date, goal: Goal) -> Measurement:
    return SOURCES[kpi_slug].measure(as_of=as_of, goal=goal)


def beside(kpi_slug: str, *, as_of: date) -> tuple[Figure, ...]:
    """Return what is shown beside a KPI, such as the median time to activation."""
    return SOURCES[kpi_slug].beside(as_of=as_of)


def people(kpi_slug: str, *, as_of: date, group: str) -> QuerySet[Person]:
    """Return the persons of a `KpiGroup` of a KPI; none where it has no persons to show."""
    goal = goals.in_force()[kpi_slug]
    return SOURCES[kpi_slug].people(as_of=as_of, goal=goal, group=KpiGroup(group))
