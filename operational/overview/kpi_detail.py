"""Everything behind the number of one KPI."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from common.calculations.line_chart import LineChart
from operational.calculations.alignment import Contribution
from operational.calculations.kpi import Figure
from operational.kpis import goals, readings, sources
from operational.kpis.alignment import alignment_score
from operational.kpis.history import history_chart, history_window
from operational.kpis.readings import KpiStatus
from operational.models import KpiGoal, KpiReading


@dataclass(frozen=True, slots=True)
class KpiDetail:
    """A KPI as of the end of a day, with goals and readings, newest first."""

    status: KpiStatus
    contribution: Contribution
    related_figures: tuple[Figure, ...]
    chart: LineChart | None
    readings: Sequence[KpiReading]
    goals: Sequence[KpiGoal]

    @property
    def first_day(self) -> date:
        return history_window(self.status.as_of)[0]

    @property
    def middle_day(self) -> date:
        return self.first_day + (self.status.as_of - self.first_day) // 2


def kpi_detail(slug: str, *, as_of: date) -> KpiDetail:
    """Gather the KPI; raises KeyError for a slug outside the catalogue."""
    statuses = {status.kpi.slug: status for status in readings.read_kpis(as_of=as_of)}
    status = statuses[slug]
    alignment = alignment_score(as_of=as_of, statuses=list(statuses.values()))
    first, last = history_window(as_of)
    recorded = readings.history(kpi=slug, first=first, last=last)
    return KpiDetail(
        status=status,
        contribution=next(part for part in alignment.contributions if part.kpi == slug),
        related_figures=sources.related_figures(slug, as_of=as_of),
        chart=history_chart(recorded, target=status.goal.target, as_of=as_of, intervals=True),
        readings=recorded[::-1],
        goals=goals.history(slug),
    )
