"""Action candidates: every KPI below its target, failed check and unhealthy component."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from analytics.rollups import definitions
from common.calculations.health import Health, worst
from common.data_quality import CheckVerdict
from common.formatting import figure
from common.read_once import reading_together
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Better, Severity
from operational.health.system_health import system_health
from operational.kpis.alignment import alignment_score
from operational.kpis.playbooks import PLAYBOOKS
from operational.kpis.readings import KpiStatus, read_kpis
from operational.models import ActionKind, Alert, AlertKind
from operational.quality import data_quality

_SEVERITIES = {Health.WARNING: Severity.WARNING, Health.CRITICAL: Severity.CRITICAL}
_COMPONENT_NAMES = {
    "beat": "the scheduler (beat)",
    "capture": "capture",
    "mail": "e-mail",
    "stripe": "the Stripe connection",
    "valkey": "Valkey",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that should be done. `value` is the KPI's; `points_lost` are the score's."""

    kind: str
    subject: str
    title: str
    detail: str
    severity: Severity
    points_lost: float = 0.0
    people: int | None = None
    value: float | None = None


@reading_together()
def candidates(*, now: datetime) -> list[Candidate]:
    """Return a candidate for each KPI below target, failed check and unhealthy component."""
    return [*_kpis(definitions.last_complete_day(now)), *_checks(), *_components(now)]


def _kpis(as_of: date) -> Iterator[Candidate]:
    statuses = {status.kpi.slug: status for status in read_kpis(as_of=as_of)}
    alignment = alignment_score(as_of=as_of, statuses=list(statuses.values()))
    firing = dict(
        Alert.objects.filter(kind=AlertKind.KPI)
        .exclude(firing=Severity.OK)
        .values_list("subject", "firing")
    )
    for part in alignment.contributions:
        status, lost = statuses[part.kpi], part.points_lost or 0.0
        alerted = Severity(firing.get(part.kpi, Severity.OK))
        if lost > 0 or alerted is not Severity.OK:
            yield Candidate(
                ActionKind.KPI,
                part.kpi,
                PLAYBOOKS[part.kpi].title,
                _gap(status),
                max(status.severity or Severity.OK, alerted, key=list(Severity).index),
                lost,
                _people(status),
                status.measurement.value,
            )


def _gap(status: KpiStatus) -> str:
    kpi, value = status.kpi, status.measurement.value
    return f"{kpi.name} is {figure(value, kpi.unit)}, target {figure(status.goal.target, kpi.unit)}"


def _people(status: KpiStatus) -> int | None:
    """Return how many people make up the gap, if the KPI can list them."""
    measured = status.measurement
    if KpiGroup.MISSED not in status.kpi.people or status.kpi.bases:
        return None
    if measured.numerator is None or measured.denominator is None:
        return None
    is_higher = status.kpi.better is Better.HIGHER
    return int(measured.denominator - measured.numerator if is_higher else measured.numerator)


def _checks() -> Iterator[Candidate]:
    for finding in data_quality.latest().findings:
        if finding.verdict is CheckVerdict.FAIL and not finding.is_ignored:
            check = finding.check
            title = f"Fix the data: {check.name.lower()}"
            yield Candidate(ActionKind.QUALITY, check.slug, title, finding.detail, Severity.WARNING)


def _components(now: datetime) -> Iterator[Candidate]:
    for component in worst(system_health(now).components):
        if component.health in _SEVERITIES:
            name = component.name
            title = f"Fix {_COMPONENT_NAMES.get(name, f'the {name}')}"
            detail = " ".join(filter(None, [component.detail, component.remedy]))
            yield Candidate(ActionKind.HEALTH, name, title, detail, _SEVERITIES[component.health])
