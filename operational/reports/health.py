"""Health check of reports: whether each recipient got theirs in time."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from common.calculations.health import Component, Health
from common.formatting import counted
from operational.reports import report_schedule
from operational.reports.report_schedule import DueReport


def reports(now: datetime) -> Iterator[Component]:
    unusable, overdue = report_schedule.unusable(), report_schedule.overdue(now=now)
    if unusable:
        yield Component(
            "reports",
            Health.WARNING,
            f"Never due: {', '.join(unusable)}. A report needs a crontab.",
            remedy="Give the schedule a crontab.",
            page="admin:django_celery_beat_periodictask_changelist",
        )
    if overdue:
        yield _late(overdue)
    if not (unusable or overdue):
        yield Component("reports", Health.OK, "All due reports were sent.")


def _late(overdue: Sequence[DueReport]) -> Component:
    kinds = " and ".join(sorted({f"{due.kind.value} report" for due in overdue}))
    recipients = counted(len(overdue), "recipient")
    return Component(
        "reports",
        Health.WARNING,
        f"Not sent on time: {kinds}, to {recipients}.",
        min(due.since for due in overdue),
        "See Deliveries in the admin for the reason; check worker, beat and the mail server.",
    )
