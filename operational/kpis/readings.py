"""KPI readings: computed live for a day, recorded daily, restated after late events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from analytics.rollups import counters, definitions
from common.calculations.statistics import Status
from common.read_once import reading_together
from operational.calculations.catalogue import CATALOGUE, Kpi
from operational.calculations.kpi import (
    Goal,
    Measurement,
    Severity,
    attainment,
    kpi_score,
    severity,
)
from operational.kpis import goals, sources
from operational.models import KpiReading

RESTATED_DAYS = 65  # days back that late events may still change


@dataclass(frozen=True, slots=True)
class KpiStatus:
    """A KPI as of the end of a day, judged by the goal in force now.

    `attainment` (uncapped, 1.0 is the target) is None without a value, or if nothing is left to
    improve. `score` (0 to 100) and `severity` are None unless the measurement counts.
    """

    kpi: Kpi
    goal: Goal
    measurement: Measurement
    attainment: float | None
    score: float | None
    severity: Severity | None
    as_of: date


class Recorded(NamedTuple):
    """The main fields of a `KpiReading`; whole model objects are slow to create."""

    day: date
    status: str
    reason: str
    value: float | None
    low: float | None
    high: float | None


def read_kpis(*, as_of: date) -> list[KpiStatus]:
    """Measure every KPI of the catalogue as of the end of a complete day, in its order."""
    return _read(goals.in_force(), as_of)


def record_recent(*, now: datetime) -> None:
    """Record the last complete day; restate the days that late events may have changed."""
    last = definitions.last_complete_day(now)
    days = [last - timedelta(days=back) for back in range(RESTATED_DAYS, -1, -1)]
    record_readings(days=days, now=now)


def record_readings(*, days: Sequence[date], now: datetime) -> None:
    """Record or restate the readings of complete days.

    A reading keeps the value as first reported, and the goal in force then.
    """
    if days and max(days) > definitions.last_complete_day(now):
        raise ValueError(f"{max(days)} is not complete.")
    in_force, every_version = goals.in_force(), goals.every_version()
    for day in days:
        reported = {
            reading.kpi: reading
            for reading in KpiReading.objects.filter(day=day, first_value__isnull=False)
        }
        goals_then = {
            slug: every_version[slug, reported[slug].goal_version] if slug in reported else goal
            for slug, goal in in_force.items()
        }
        KpiReading.objects.bulk_create(
            [
                _reading(status, reported=reported.get(status.kpi.slug), now=now)
                for status in _read(goals_then, day)
                if not status.measurement.is_broken  # what was recorded before stays
            ],
            update_conflicts=True,
            unique_fields=["kpi", "day"],
            update_fields=_RESTATED_FIELDS,
        )


def history(*, kpi: str, first: date, last: date) -> list[KpiReading]:
    """Return the recorded readings of a KPI, oldest day first; both days are included."""
    return list(KpiReading.objects.filter(kpi=kpi, day__range=(first, last)).order_by("day"))


def histories(*, first: date, last: date) -> dict[str, list[Recorded]]:
    """Return the recorded days of every KPI, oldest first, with one query."""
    by_kpi: dict[str, list[Recorded]] = {slug: [] for slug in CATALOGUE}
    readings = KpiReading.objects.filter(day__range=(first, last), kpi__in=by_kpi).order_by("day")
    for kpi, *row in readings.values_list("kpi", *Recorded._fields):
        by_kpi[kpi].append(Recorded(*row))
    return by_kpi


def input_problem() -> str:
    """Return why the numbers are currently unreliable, or an empty text."""
    return definitions.rebuild_needed()


@reading_together()
def _read(goals_in_force: Mapping[str, Goal], as_of: date) -> list[KpiStatus]:
    problem, passive_events = input_problem(), sorted(definitions.in_force().passive_events)
    statuses = []
    counters.read(sources.spans(as_of=as_of))
    for slug, kpi in CATALOGUE.items():
        goal = goals_in_force[slug]
        measurement = sources.measure(slug, as_of=as_of, goal=goal)
        if problem and measurement.value is not None:
            measurement = replace(measurement, status=Status.HELD, reason=problem)
        exclusions = kpi.exclusions
        if passive_events and kpi.counts_activity:
            exclusions += (f"events that do not count as activity: {', '.join(passive_events)}",)
        measurement = replace(measurement, exclusions=exclusions)
        statuses.append(_judged(kpi, goal, measurement, as_of))
    return statuses


def _judged(kpi: Kpi, goal: Goal, measurement: Measurement, as_of: date) -> KpiStatus:
    target, better = goal.target, kpi.better
    value = measurement.value
    counted = value if measurement.counts else None
    return KpiStatus(
        kpi=kpi,
        goal=goal,
        measurement=measurement,
        attainment=None if value is None else attainment(value, target=target, better=better),
        score=None if counted is None else kpi_score(counted, target=target, better=better),
        severity=None if counted is None else severity(counted, goal=goal, better=better),
        as_of=as_of,
    )


def _reading(status: KpiStatus, *, reported: KpiReading | None, now: datetime) -> KpiReading:
    measurement, interval = status.measurement, status.measurement.interval
    return KpiReading(
        kpi=status.kpi.slug,
        day=status.as_of,
        status=measurement.status,
        reason=measurement.reason,
        value=measurement.value,
        numerator=measurement.numerator,
        denominator=measurement.denominator,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        window_from=measurement.window_from,
        window_to=measurement.window_to,
        basis=measurement.basis,
        exclusions=list(measurement.exclusions),
        formula_version=status.kpi.formula_version,
        goal_version=status.goal.version,
        recorded_at=now,
        first_value=reported.first_value if reported else measurement.value,
        first_recorded_at=reported.first_recorded_at if reported else now,
    )


_RESTATED_FIELDS = [
    field.name
    for field in KpiReading._meta.concrete_fields
    if field.name not in {"id", "kpi", "day"}
]
