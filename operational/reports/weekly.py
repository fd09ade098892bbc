"""Reads the sections that the weekly report adds to the daily one's."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta

from analytics.insights import activation, active_users
from analytics.insights.retention import CohortKind, weekly_retention
from billing.revenue import customer_churn, movements, mrr
from common.calculations.statistics import Rate
from operational.kpis.readings import KpiStatus
from operational.models import ReportKind
from operational.reports import weekly_content as content
from operational.reports.daily import actions, daily_report
from operational.reports.weekly_content import WeeklyReport

COHORT_WEEKS = 8
MONTHS = 6


def weekly_report(as_of: date, statuses: Sequence[KpiStatus], *, now: datetime) -> WeeklyReport:
    """Read the report of the 7 days that end with a complete day."""
    daily = replace(
        daily_report(as_of, statuses, now=now),
        kind=ReportKind.WEEKLY,
        period_from=as_of - timedelta(days=6),
        actions=actions(),
    )
    return WeeklyReport(
        **{field.name: getattr(daily, field.name) for field in fields(daily)},
        activation=_activation(as_of),
        cohorts=_cohorts(as_of),
        funnel=_funnel(as_of, statuses),
        revenue=_revenue(as_of),
        growth=_growth(as_of),
    )


def _activation(as_of: date) -> tuple[content.SignupWeek, ...]:
    """Return the last four weeks of signups that are old enough to have activated."""
    return tuple(_signup_week(as_of - timedelta(days=7 * weeks)) for weeks in range(4, 0, -1))


def _signup_week(last: date) -> content.SignupWeek:
    first = last - timedelta(days=6)
    counts = activation.activation_counts(signups_from=first, signups_to=last)
    return content.SignupWeek(
        first=first,
        last=last,
        signups=counts.signups,
        activated=counts.activated,
        rate=Rate(counts.activated, counts.signups).value,
    )


def _cohorts(as_of: date) -> tuple[content.ReportCohort, ...]:
    cohorts = weekly_retention(
        cohort=CohortKind.SIGNUP,
        weeks=COHORT_WEEKS,
        cohorts_from=as_of - timedelta(weeks=COHORT_WEEKS),
        cohorts_to=None,
        as_of=as_of,
    )
    return tuple(
        content.ReportCohort(
            week=cohort.week,
            size=cohort.size,
            rates=tuple(
                content.CohortRate(week=cell.week, rate=cell.rate.value)
                for cell in cohort.weeks[1:]
            ),
        )
        for cohort in cohorts
    )


def _funnel(as_of: date, statuses: Sequence[KpiStatus]) -> content.ReportFunnel:
    """Follow the signups of the 30 days that end a week before, from counters."""
    last = as_of - timedelta(days=7)
    first = last - timedelta(days=29)
    counts = activation.activation_counts(signups_from=first, signups_to=last)
    d7 = next(status.measurement for status in statuses if status.kpi.slug == "d7_retention")
    steps = [
        ("Signed up", counts.signups),
        ("Activated within 24 hours", counts.activated_quickly),
        ("Activated within 7 days", counts.activated),
    ]
    if d7.numerator is not None:
        steps.append(("Active on day 7", int(d7.numerator)))
    return content.ReportFunnel(
        signups_from=first,
        signups_to=last,
        steps=tuple(
            content.ReportStep(name=name, persons=persons, rate=Rate(persons, counts.signups).value)
            for name, persons in steps
        ),
    )


def _revenue(as_of: date) -> content.ReportRevenue | None:
    """Return the week's revenue; None until anyone has paid."""
    if mrr.first_day() is None:
        return None
    now, churn = mrr.report(as_of=as_of), customer_churn.last_30_days(as_of=as_of)
    days = movements.by_period(
        first=as_of - timedelta(days=6), last=as_of, as_of=as_of, by_month=False
    )
    return content.ReportRevenue(
        currency=now.currency,
        mrr=now.mrr,
        customers=now.customers,
        arpa=None if now.arpa is None else float(now.arpa),
        movements=content.ReportMovements(
            new=sum(day.new for day in days),
            reactivation=sum(day.reactivation for day in days),
            expansion=sum(day.expansion for day in days),
            contraction=sum(day.contraction for day in days),
            churn=sum(day.churn for day in days),
        ),
        change=sum(day.closing - day.opening for day in days),
        churn_rate=churn.rate.value,
    )


def _growth(as_of: date) -> tuple[content.ReportMonth, ...]:
    first = (as_of - timedelta(days=31 * (MONTHS - 1))).replace(day=1)
    months = active_users.active_months(first=first, last=as_of, as_of=as_of)
    return tuple(
        content.ReportMonth(
            month=month.start,
            active=month.active,
            complete=month.complete,
            growth=month.growth,
            new=month.growth_accounting.new if month.growth_accounting else None,
            resurrected=month.growth_accounting.resurrected if month.growth_accounting else None,
            churned=month.growth_accounting.churned if month.growth_accounting else None,
        )
        for month in months
    )
