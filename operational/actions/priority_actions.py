"""Priority actions: what should be done next, kept as rows that staff take, finish or dismiss."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from analytics.rollups import definitions
from common.calculations.health import Health, worst
from common.data_quality import CheckVerdict
from common.formatting import figure
from common.read_once import reading_together
from operational.calculations.catalogue import CATALOGUE, KpiGroup
from operational.calculations.kpi import Better, Severity
from operational.calculations.priority import (
    closed_share,
    is_materially_worse,
    rank,
    reach,
)
from operational.health.system_health import system_health
from operational.kpis.alignment import alignment_score
from operational.kpis.playbooks import PLAYBOOKS
from operational.kpis.readings import KpiStatus, read_kpis
from operational.models import Alert, KpiReading, PriorityAction
from operational.quality import data_quality

MEASURED_FOR = timedelta(days=30)  # after an action is done; until then it does not return
_State, _Kind = PriorityAction.State, PriorityAction.Kind
_HEALTH = {Health.WARNING: Severity.WARNING, Health.CRITICAL: Severity.CRITICAL}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that should be done. `value` is the KPI's, `points_lost` are the score's."""

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
    """Return one for each KPI below target, failed check and unhealthy part, as of now."""
    return [*_kpis(definitions.last_complete_day(now)), *_checks(), *_parts(now)]


def _kpis(as_of: date) -> Iterator[Candidate]:
    statuses = {one.kpi.slug: one for one in read_kpis(as_of=as_of)}
    alignment = alignment_score(as_of=as_of, statuses=list(statuses.values()))
    firing = dict(
        Alert.objects.filter(kind=Alert.Kind.KPI)
        .exclude(firing=Severity.OK)
        .values_list("subject", "firing")
    )
    for part in alignment.contributions:
        status, lost = statuses[part.kpi], part.points_lost or 0.0
        alerted = Severity(firing.get(part.kpi, Severity.OK))
        if lost > 0 or alerted is not Severity.OK:
            yield Candidate(
                _Kind.KPI,
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
    """Return how many persons the gap is made of, where the KPI can show them."""
    measured = status.measurement
    if KpiGroup.MISSED not in status.kpi.people or status.kpi.bases:
        return None
    if measured.numerator is None or measured.denominator is None:
        return None
    is_higher = status.kpi.better is Better.HIGHER
    return int(measured.denominator - measured.numerator if is_higher else measured.numerator)


def _checks() -> Iterator[Candidate]:
    for one in data_quality.latest().findings:
        if one.verdict is CheckVerdict.FAIL and not one.is_ignored:
            title = f"Mend the data: {one.check.name.lower()}"
            yield Candidate(_Kind.QUALITY, one.check.slug, title, one.detail, Severity.WARNING)


def _parts(now: datetime) -> Iterator[Candidate]:
    for one in worst(system_health(now).components):
        if one.health in _HEALTH:
            detail = " ".join(filter(None, [one.detail, one.remedy]))
            title = f"Mend the system: {one.name}"
            yield Candidate(_Kind.HEALTH, one.name, title, detail, _HEALTH[one.health])


def refresh(*, now: datetime) -> None:
    """Bring the rows up to date: new candidates are opened, what is over is settled."""
    found = candidates(now=now)
    _measure_done(now)
    with transaction.atomic():
        active = {
            (row.kind, row.subject): row
            for row in PriorityAction.objects.select_for_update().filter(
                state__in=[_State.OPEN, _State.TAKEN]
            )
        }
        closed, reaches = _last_closed(), _reaches()
        for one in found:
            row = active.pop((one.kind, one.subject), None)
            if row is None:
                if not _returns(closed.get((one.kind, one.subject)), one, now):
                    continue
                row = PriorityAction(kind=one.kind, subject=one.subject, opened_at=now)
            _adopt(row, one, reaches.get(one.subject, 1.0), now)
        for row in active.values():
            row.state, row.closed_at = _State.SETTLED, now
            row.save(update_fields=["state", "closed_at"])


def _adopt(row: PriorityAction, one: Candidate, may_close: float, now: datetime) -> None:
    row.title, row.detail, row.severity = one.title, one.detail, one.severity
    row.points_lost, row.people, row.reach = one.points_lost, one.people, may_close
    row.refreshed_at = now
    if row.state == _State.OPEN:
        row.kpi_before = one.value
    if row.pk:
        row.save()
    else:  # another refresh may have opened it meanwhile
        PriorityAction.objects.bulk_create([row], ignore_conflicts=True)


def _last_closed() -> Mapping[tuple[str, str], PriorityAction]:
    rows = PriorityAction.objects.filter(state__in=[_State.DONE, _State.DISMISSED])
    newest = rows.order_by("kind", "subject", "-closed_at").distinct("kind", "subject")
    return {(row.kind, row.subject): row for row in newest}


def _returns(closed: PriorityAction | None, one: Candidate, now: datetime) -> bool:
    """Return whether a candidate is opened: not while its last action works, or was dismissed."""
    if closed is None:
        return True
    if closed.state == _State.DONE:
        return closed.closed_at is None or now - closed.closed_at > MEASURED_FOR
    return is_materially_worse(
        points=one.points_lost,
        points_then=closed.points_lost,
        severity=one.severity,
        severity_then=Severity(closed.severity),
    )


def _reaches() -> dict[str, float]:
    """Return, by KPI, what share of the gap earlier actions closed."""
    shares: dict[str, list[float]] = {}
    for row in PriorityAction.objects.filter(state=_State.DONE, kind=_Kind.KPI):
        if (share := effect(row)) is not None:
            shares.setdefault(row.subject, []).append(share)
    return {subject: reach(found) for subject, found in shares.items()}


def effect(action: PriorityAction) -> float | None:
    """Return the share of the KPI's gap that a finished action closed; None if unmeasured."""
    before, after, target = action.kpi_before, action.kpi_after, action.target
    if before is None or after is None or target is None or action.kpi_after_day is None:
        return None
    return closed_share(before=before, after=after, target=target)


def _measure_done(now: datetime) -> None:
    """Note what became of the KPIs of actions that were done within the last 30 days."""
    last = definitions.last_complete_day(now)
    done = PriorityAction.objects.filter(
        state=_State.DONE, kind=_Kind.KPI, closed_at__gt=now - MEASURED_FOR
    )
    readings = KpiReading.objects.filter(day=last, value__isnull=False)
    values = dict(readings.values_list("kpi", "value"))
    for row in done:
        if row.subject in values:
            row.kpi_after, row.kpi_after_day = values[row.subject], last
            row.save(update_fields=["kpi_after", "kpi_after_day"])


def active() -> Sequence[PriorityAction]:
    """Return what should be done, first things first."""
    rows = PriorityAction.objects.filter(state__in=[_State.OPEN, _State.TAKEN])
    found = rows.select_related("owner")
    return sorted(found, key=lambda row: (*rank(row.recoverable, Severity(row.severity)), row.pk))


def closed() -> Sequence[PriorityAction]:
    """Return what was done, dismissed or settled lately, the last first."""
    rows = PriorityAction.objects.exclude(state__in=[_State.OPEN, _State.TAKEN])
    return list(rows.select_related("owner").order_by("-closed_at")[:50])


def last_done(action: PriorityAction) -> PriorityAction | None:
    """Return the last action of the same kind and subject that was done."""
    same = PriorityAction.objects.filter(kind=action.kind, subject=action.subject)
    return same.filter(state=_State.DONE).exclude(pk=action.pk).order_by("-closed_at").first()


class NotActive(Exception):
    """The action was closed meanwhile."""


def take(pk: int, *, owner: User, due: date | None, notes: str) -> None:
    """Give an action an owner, a date until which it should be done, and notes."""
    with transaction.atomic():
        row = _active(pk)
        row.state, row.owner, row.due, row.notes = _State.TAKEN, owner, due, notes
        row.save(update_fields=["state", "owner", "due", "notes"])


def finish(pk: int, *, by: User, now: datetime) -> None:
    """Close an action as done; the KPI of before and after is recorded."""
    with transaction.atomic():
        row = _active(pk)
        row.state, row.closed_at, row.owner = _State.DONE, now, row.owner or by
        if row.kind == _Kind.KPI and row.subject in CATALOGUE:
            status = {one.kpi.slug: one for one in read_kpis(as_of=_last(now))}[row.subject]
            row.target, row.kpi_after = status.goal.target, status.measurement.value
        row.save()


def dismiss(pk: int, *, by: User, reason: str, now: datetime) -> None:
    """Close an action that is not worth it; it returns when it gets materially worse."""
    with transaction.atomic():
        row = _active(pk)
        row.state, row.closed_at, row.owner, row.reason = _State.DISMISSED, now, by, reason
        row.save()


def _active(pk: int) -> PriorityAction:
    row = PriorityAction.objects.select_for_update().get(pk=pk)
    if not row.is_active:
        raise NotActive(f"It is {row.get_state_display().lower()} already.")
    return row


def _last(now: datetime) -> date:
    return definitions.last_complete_day(now)
