"""Makes a report, and keeps it as JSON."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from analytics.rollups import definitions
from common.read_once import reading_together
from operational.kpis.readings import read_kpis
from operational.models import ReportKind
from operational.reports.content import DailyReport
from operational.reports.daily import daily_report
from operational.reports.weekly import weekly_report
from operational.reports.weekly_content import WeeklyReport


@reading_together()
def make(kind: ReportKind, *, now: datetime, as_of: date | None = None) -> DailyReport:
    """Read the report of the period that ends with `as_of`, by default the last complete one."""
    as_of = as_of or last_day(kind, now=now)
    read = weekly_report if kind == ReportKind.WEEKLY else daily_report
    return read(as_of, read_kpis(as_of=as_of), now=now)


def last_day(kind: ReportKind, *, now: datetime) -> date:
    """Return the last day of the last complete period: a day, or an ISO week."""
    day = definitions.last_complete_day(now)
    return day if kind == ReportKind.DAILY else day - timedelta(days=day.isoweekday() % 7)


def as_json(report: DailyReport) -> Any:
    """Return a report as it is stored."""
    return msgspec.json.decode(msgspec.json.encode(report))


def from_json(stored: Any) -> DailyReport:
    """Return a stored report."""
    is_weekly = stored["kind"] == ReportKind.WEEKLY
    return msgspec.convert(stored, WeeklyReport if is_weekly else DailyReport)
