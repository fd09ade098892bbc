"""Health check of reports: whether each recipient got theirs in time."""

from collections.abc import Iterator
from datetime import datetime

from common.calculations.health import Component, Health
from common.formatting import counted
from operational.reports import report_schedule


def reports(now: datetime) -> Iterator[Component]:
    overdue = report_schedule.overdue(now=now)
    if not overdue:
        yield Component("reports", Health.OK, "All due reports were sent.")
        return
    kinds = " and ".join(sorted({f"{due.kind.value} report" for due in overdue}))
    recipients = counted(len(overdue), "recipient")
    yield Component(
        "reports",
        Health.WARNING,
        f"Not sent on time: {kinds}, to {recipients}.",
        min(due.since for due in overdue),
        "See Deliveries in the admin for the reason; check worker, beat and the mail server.",
    )
