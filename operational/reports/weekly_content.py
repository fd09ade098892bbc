"""What the weekly report contains besides the daily one's sections; see `content`."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from operational.reports.content import DailyReport, MinorUnits, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupWeek:
    """The people who signed up in a week, and how many of them activated within 7 days."""

    first: date
    last: date
    signups: int
    activated: int
    rate: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRate:
    """The share of a cohort that was active in a week after signup, counted from 0."""

    week: int
    rate: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCohort:
    """The people who signed up in a week, and how many stayed."""

    week: Annotated[date, "Its first day"]
    size: int
    rates: tuple[CohortRate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStep:
    """A step of the signup funnel; the rate is the share of all signups."""

    name: str
    persons: int
    rate: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFunnel:
    """How far the people who signed up in 30 days got in their first week."""

    signups_from: date
    signups_to: date
    steps: tuple[ReportStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMovements:
    """MRR movements in the week."""

    new: MinorUnits
    reactivation: MinorUnits
    expansion: MinorUnits
    contraction: MinorUnits
    churn: MinorUnits


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRevenue:
    """Recurring revenue at the end of the week, and how it moved."""

    currency: str
    mrr: MinorUnits
    customers: int
    arpa: Annotated[float, "Average MRR per customer, in minor units of the currency"] | None
    movements: ReportMovements
    change: MinorUnits
    churn_rate: Annotated[float, "Customer churn of 30 days, 0 to 1"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMonth:
    """Active users of a month, and where they came from."""

    month: Annotated[date, "Its first day"]
    active: int
    complete: bool
    growth: Annotated[float, "Against the month before; 0.1 is 10 % more"] | None
    new: int | None
    resurrected: int | None
    churned: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport(DailyReport):
    """The daily report's sections, and those of the week."""

    activation: tuple[SignupWeek, ...]
    cohorts: tuple[ReportCohort, ...]
    funnel: ReportFunnel
    revenue: Annotated[ReportRevenue, "Null until anyone has paid"] | None
    growth: tuple[ReportMonth, ...]
