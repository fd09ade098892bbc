"""What finished actions achieved: the KPI is measured for 30 days after each."""

from datetime import datetime, timedelta

from analytics.rollups import definitions
from operational.calculations.priority import closed_share, reach
from operational.models import ActionKind, ActionState, KpiReading, PriorityAction

MEASURED_FOR = timedelta(days=30)  # after an action is done; until then it does not return


def effect(action: PriorityAction) -> float | None:
    """Return the share of the KPI's gap that a finished action closed; None if unmeasured."""
    before, after, target = action.kpi_before, action.kpi_after, action.target
    if before is None or after is None or target is None or action.kpi_after_day is None:
        return None
    return closed_share(before=before, after=after, target=target)


def reaches() -> dict[str, float]:
    """Return, by KPI, what share of the gap earlier actions closed."""
    shares: dict[str, list[float]] = {}
    for action in PriorityAction.objects.filter(state=ActionState.DONE, kind=ActionKind.KPI):
        if (share := effect(action)) is not None:
            shares.setdefault(action.subject, []).append(share)
    return {subject: reach(closed) for subject, closed in shares.items()}


def measure_done(now: datetime) -> None:
    """Record the current KPI values of actions that were done within the last 30 days."""
    last = definitions.last_complete_day(now)
    done = PriorityAction.objects.filter(
        state=ActionState.DONE, kind=ActionKind.KPI, closed_at__gt=now - MEASURED_FOR
    )
    readings = KpiReading.objects.filter(day=last, value__isnull=False)
    values = dict(readings.values_list("kpi", "value"))
    for action in done:
        if action.subject in values:
            action.kpi_after, action.kpi_after_day = values[action.subject], last
            action.save(update_fields=["kpi_after", "kpi_after_day"])
