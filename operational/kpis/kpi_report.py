"""The KPIs of a day and their score, as the API and the command line report them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Annotated, Any

from analytics.rollups import definitions
from common.calculations.statistics import Interval, Status
from common.formatting import Unit
from operational.calculations.alignment import Band, Contribution
from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import Better, Figure, Goal, Measurement, Severity
from operational.kpis import sources
from operational.kpis.alignment import Alignment, TrendPoint
from operational.kpis.readings import KpiStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedGoal:
    version: int
    target: float
    weight: int
    warning: float | None
    critical: float | None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedValue:
    """A measurement; counts of people are whole numbers."""

    status: Status
    reason: Annotated[str, "Why the status is not ok; otherwise empty"]
    value: float | None
    numerator: int | float | None
    denominator: int | float | None
    interval: Annotated[Interval | None, "95 % Wilson interval of a rate"]
    window_from: date | None
    window_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFigure(ReportedValue):
    name: str
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedKpi(ReportedValue):
    kpi: str
    name: str
    unit: Unit
    better: Better
    formula: str
    formula_version: int
    window: str
    numerator_label: str
    denominator_label: str
    source: str
    basis: str
    exclusions: tuple[str, ...]
    goal: ReportedGoal
    attainment: Annotated[
        float | None,
        "1.0 is the target; uncapped. Null also if nothing is left to improve",
    ]
    score: Annotated[float | None, "0 to 100, null if it does not count"]
    severity: Severity | None
    related_figures: list[ReportedFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDefinitions:
    time_zone: str
    signup_event: str
    activation_event: str
    passive_events: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiReport:
    as_of: date
    definitions: ReportedDefinitions
    kpis: list[ReportedKpi]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedContribution:
    kpi: str
    name: str
    weight: int
    score: float | None
    contribution: float | None
    points_lost: float | None
    counted: bool
    reason_not_counted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentReport:
    as_of: date
    score: Annotated[float | None, "0 to 100, unrounded"]
    band: Band
    coverage: Annotated[float, "Share of the weight that counts, 0 to 1"]
    provisional: bool
    contributions: list[ReportedContribution]
    trend: tuple[TrendPoint, ...]


def kpi_report(*, as_of: date, statuses: Sequence[KpiStatus]) -> KpiReport:
    """Report every KPI with everything needed to verify it."""
    in_force = definitions.in_force()
    return KpiReport(
        as_of=as_of,
        definitions=ReportedDefinitions(
            time_zone=in_force.time_zone,
            signup_event=in_force.signup_event,
            activation_event=in_force.activation_event,
            passive_events=sorted(in_force.passive_events),
        ),
        kpis=[_kpi(status) for status in statuses],
    )


def alignment_report(alignment: Alignment) -> AlignmentReport:
    """Report the alignment score with its contributions."""
    return AlignmentReport(
        as_of=alignment.as_of,
        score=alignment.score,
        band=alignment.band,
        coverage=alignment.coverage,
        provisional=alignment.provisional,
        contributions=[_contribution(part) for part in alignment.contributions],
        trend=alignment.trend,
    )


def reported_goal(goal: Goal) -> ReportedGoal:
    return ReportedGoal(**{part.name: getattr(goal, part.name) for part in fields(ReportedGoal)})


def _kpi(status: KpiStatus) -> ReportedKpi:
    kpi, measurement = status.kpi, status.measurement
    figures = sources.related_figures(kpi.slug, as_of=status.as_of)
    return ReportedKpi(
        **_measured(measurement),
        kpi=kpi.slug,
        name=kpi.name,
        unit=kpi.unit,
        better=kpi.better,
        formula=kpi.formula,
        formula_version=kpi.formula_version,
        window=kpi.window,
        numerator_label=kpi.numerator,
        denominator_label=kpi.denominator,
        source=kpi.source,
        basis=measurement.basis,
        exclusions=measurement.exclusions,
        goal=reported_goal(status.goal),
        attainment=status.attainment,
        score=status.score,
        severity=status.severity,
        related_figures=[_figure(figure) for figure in figures],
    )


def _figure(figure: Figure) -> ReportedFigure:
    return ReportedFigure(**_measured(figure.measurement), name=figure.name, unit=figure.unit)


def _measured(measurement: Measurement) -> dict[str, Any]:
    return {part.name: getattr(measurement, part.name) for part in fields(ReportedValue)}


def _contribution(part: Contribution) -> ReportedContribution:
    return ReportedContribution(**asdict(part), name=CATALOGUE[part.kpi].name)
