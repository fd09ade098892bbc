"""Priority actions: what should be done next, kept as rows that staff take, finish or dismiss."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction

from analytics.rollups import definitions
from operational.actions import effects
from operational.actions.candidates import Candidate, candidates
from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import Severity
from operational.calculations.priority import is_materially_worse, rank
from operational.kpis.readings import read_kpis
from operational.models import ActionKind, ActionState, PriorityAction


def refresh(*, now: datetime) -> None:
    """Bring the rows up to date: open new candidates, settle actions without one."""
    current = candidates(now=now)
    effects.measure_done(now)
    with transaction.atomic():
        active = {
            (row.kind, row.subject): row
            for row in PriorityAction.objects.select_for_update().filter(
                state__in=[ActionState.OPEN, ActionState.TAKEN]
            )
        }
        closed, reaches = _last_closed(), effects.reaches()
        for candidate in current:
            key = candidate.kind, candidate.subject
            row = active.pop(key, None)
            if row is None:
                if not _returns(closed.get(key), candidate, now):
                    continue
                row = PriorityAction(kind=candidate.kind, subject=candidate.subject, opened_at=now)
            _adopt(row, candidate, reaches.get(candidate.subject, 1.0), now)
        for row in active.values():
            row.state, row.closed_at = ActionState.SETTLED, now
            row.save(update_fields=["state", "closed_at"])


def _adopt(row: PriorityAction, candidate: Candidate, reach: float, now: datetime) -> None:
    row.title, row.detail, row.severity = candidate.title, candidate.detail, candidate.severity
    row.points_lost, row.people, row.reach = candidate.points_lost, candidate.people, reach
    row.refreshed_at = now
    if row.state == ActionState.OPEN:
        row.kpi_before = candidate.value
    if row.pk:
        row.save()
    else:  # a concurrent refresh may have opened it
        PriorityAction.objects.bulk_create([row], ignore_conflicts=True)


def _last_closed() -> Mapping[tuple[str, str], PriorityAction]:
    rows = PriorityAction.objects.filter(state__in=[ActionState.DONE, ActionState.DISMISSED])
    newest = rows.order_by("kind", "subject", "-pk").distinct("kind", "subject")
    return {(row.kind, row.subject): row for row in newest}


def _returns(closed: PriorityAction | None, candidate: Candidate, now: datetime) -> bool:
    """Return whether to open a candidate: not while its last action is measured or dismissed.

    Only a KPI takes time to react. A part or check that is broken again, or still, is not done.
    """
    if closed is None:
        return True
    if closed.state == ActionState.DONE:
        is_kpi, closed_at = candidate.kind == ActionKind.KPI, closed.closed_at or now
        return not is_kpi or abs(now - closed_at) > effects.MEASURED_FOR
    return is_materially_worse(
        points=candidate.points_lost,
        points_then=closed.points_lost,
        severity=candidate.severity,
        severity_then=Severity(closed.severity),
    )


def active() -> Sequence[PriorityAction]:
    """Return what should be done, the top priority first."""
    rows = PriorityAction.objects.filter(state__in=[ActionState.OPEN, ActionState.TAKEN])
    actions = rows.select_related("owner")
    return sorted(actions, key=lambda row: (*rank(row.recoverable, Severity(row.severity)), row.pk))


def closed() -> Sequence[PriorityAction]:
    """Return the last 50 actions that were done, dismissed or settled, the newest first."""
    rows = PriorityAction.objects.exclude(state__in=[ActionState.OPEN, ActionState.TAKEN])
    return list(rows.select_related("owner").order_by("-closed_at")[:50])


def last_done(action: PriorityAction) -> PriorityAction | None:
    """Return the last action of the same kind and subject that was done."""
    same = PriorityAction.objects.filter(kind=action.kind, subject=action.subject)
    return same.filter(state=ActionState.DONE).exclude(pk=action.pk).order_by("-closed_at").first()


class NotActive(Exception):
    """The action has been closed in the meantime."""


def take(pk: int, *, owner: User, due: date | None, notes: str) -> None:
    """Give an action an owner, a due date and notes."""
    with transaction.atomic():
        row = _locked_active(pk)
        row.state, row.owner, row.due, row.notes = ActionState.TAKEN, owner, due, notes
        row.save(update_fields=["state", "owner", "due", "notes"])


def finish(pk: int, *, by: User, now: datetime) -> None:
    """Close an action as done and record its KPI's target and current value."""
    with transaction.atomic():
        row = _locked_active(pk)
        row.state, row.closed_at, row.owner = ActionState.DONE, now, row.owner or by
        if row.kind == ActionKind.KPI and row.subject in CATALOGUE:
            as_of = definitions.last_complete_day(now)
            statuses = {status.kpi.slug: status for status in read_kpis(as_of=as_of)}
            status = statuses[row.subject]
            row.target, row.kpi_after = status.goal.target, status.measurement.value
        row.save()


def dismiss(pk: int, *, by: User, reason: str, now: datetime) -> None:
    """Close an action that is not worth doing; it returns if it gets materially worse."""
    with transaction.atomic():
        row = _locked_active(pk)
        row.state, row.closed_at, row.owner, row.reason = ActionState.DISMISSED, now, by, reason
        row.save()


def _locked_active(pk: int) -> PriorityAction:
    row = PriorityAction.objects.select_for_update().get(pk=pk)
    if not row.is_active:
        raise NotActive(f"it is already closed ({row.get_state_display().lower()}).")
    return row
