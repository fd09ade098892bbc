"""Revenue as the API and the command line give it.

Amounts are whole minor units of the report's currency: fractions are rounded to the nearest.
"""

from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from billing.revenue import cohorts, customer_churn, lifetime_value, movements, mrr
from billing.revenue import settings as revenue_settings
from billing.revenue.cohorts import RevenueCohort
from billing.revenue.movements import MovementPeriod
from billing.revenue.mrr import DayLevel, HeldAmount
from common.calculations.currency import rounded
from common.calculations.statistics import Interval, Status

Granularity = Literal["month", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueReport:
    as_of: date
    currency: Annotated[str, "Of all amounts, which are its minor units."]


@dataclass(frozen=True, slots=True, kw_only=True)
class MrrReport(RevenueReport):
    mrr: int
    customers: Annotated[int, "Those with MRR above 0."]
    arpa: Annotated[int | None, "MRR / customers; null without customers."]
    at_risk: Annotated[
        int | None,
        "The part that is past due; null for the past: known only now.",
    ]
    with_tax: Annotated[
        int | None,
        "The part that has tax included, at unknown rates; null for the past.",
    ]
    scheduled_churn: Annotated[int | None, "The part scheduled to cancel; null for the past."]
    scheduled_customers: Annotated[
        int | None, "Customers some of whose MRR is scheduled to cancel."
    ]
    held: Annotated[
        list[HeldAmount],
        "Without an exchange rate: not included in any total.",
    ]
    held_objects: Annotated[int, "Stripe objects that cannot be used."]
    days: list[DayLevel]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPeriod:
    start: date
    end: Annotated[date, "The last day, included."]
    complete: Annotated[bool, "Whether it is a whole month or day that was over by as_of."]
    opening: int
    new: int
    reactivation: int
    expansion: int
    contraction: Annotated[int, "As it is subtracted: not below 0."]
    churn: Annotated[int, "As it is subtracted: not below 0."]
    closing: int
    new_customers: int
    reactivated_customers: int
    churned_customers: int
    quick_ratio: Annotated[
        float | None,
        "(new + expansion + reactivation) / (contraction + churn).",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementsReport(RevenueReport):
    granularity: str
    periods: list[ReportedPeriod]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnReport(RevenueReport):
    rate: Annotated[float | None, "0 to 1."]
    interval: Annotated[Interval | None, "95 % Wilson interval."]
    status: Status
    reason: Annotated[str, "Why the status is not ok."]
    window_from: Annotated[date, "The window ends on as_of."]
    left: int
    customers_before: int
    joined_and_left: Annotated[int, "Within the window: not in the rate."]
    mrr_before: int
    mrr_lost: Annotated[int, "Of mrr_before, by contraction and churn."]
    mrr_gained_and_lost: Annotated[
        int, "Contraction and churn of MRR gained within the window: not in mrr_lost."
    ]
    gross_mrr_churn: Annotated[float | None, "mrr_lost / mrr_before, 0 to 1."]


@dataclass(frozen=True, slots=True, kw_only=True)
class LtvReport(RevenueReport):
    ltv: Annotated[int | None, "null without customers."]
    arpa: int | None
    churn: Annotated[float | None, "Monthly, 0 to 1."]
    capped: Annotated[bool | None, "Whether churn was below 1.67 % and counts as that."]
    window_from: Annotated[date, "Of churn; the window ends on as_of."]
    left: Annotated[int, "Pooled over three windows."]
    customers_before: int
    gross_margin: Annotated[float, "0 to 1."]
    margin_is_set: Annotated[bool, "Otherwise it counts as 1."]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortsReport(RevenueReport):
    cohorts: list[RevenueCohort]


def mrr_report(*, as_of: date, first: date | None = None, last: date | None = None) -> MrrReport:
    """Report MRR at the end of `as_of`, and of each day from `first` to `last` (30 days)."""
    now = mrr.report(as_of=as_of, first=first, last=last)
    values = {field.name: getattr(now, field.name) for field in fields(MrrReport)}
    return MrrReport(**values | {"arpa": _minor_units(now.arpa)})


def movements_report(
    *, first: date, last: date, as_of: date, granularity: Granularity = "month"
) -> MovementsReport:
    """Report the movements of months or days; `first` and `last` may cut a month."""
    by_month = granularity == "month"
    periods = movements.by_period(first=first, last=last, as_of=as_of, by_month=by_month)
    return MovementsReport(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        granularity=granularity,
        periods=[_period(period) for period in periods],
    )


def churn_report(*, as_of: date) -> ChurnReport:
    """Report customer churn and gross MRR churn over the 30 days that end on `as_of`."""
    churn = customer_churn.last_30_days(as_of=as_of)
    return ChurnReport(
        as_of=as_of,
        currency=churn.currency,
        rate=churn.rate.value,
        interval=churn.rate.interval,
        status=churn.rate.status,
        reason=churn.rate.reason,
        window_from=churn.window_from,
        left=churn.rate.numerator,
        customers_before=churn.rate.denominator,
        joined_and_left=churn.joined_and_left,
        mrr_before=churn.mrr_before,
        mrr_lost=churn.mrr_lost,
        mrr_gained_and_lost=churn.mrr_gained_and_lost,
        gross_mrr_churn=_ratio(churn.gross_mrr_churn),
    )


def ltv_report(*, as_of: date) -> LtvReport:
    """Report lifetime value: ARPA x gross margin / monthly churn."""
    ltv = lifetime_value.estimate(as_of=as_of)
    lifetime = ltv.lifetime
    return LtvReport(
        as_of=as_of,
        currency=ltv.currency,
        ltv=_minor_units(lifetime.ltv) if lifetime else None,
        arpa=_minor_units(lifetime.arpa) if lifetime else None,
        churn=float(lifetime.churn) if lifetime else None,
        capped=lifetime.capped if lifetime else None,
        window_from=ltv.window_from,
        left=ltv.churn.left,
        customers_before=ltv.churn.customers,
        gross_margin=float(ltv.gross_margin),
        margin_is_set=ltv.margin_is_set,
    )


def cohorts_report(*, as_of: date) -> CohortsReport:
    """Report what the customers of each signup month pay at the end of each month."""
    return CohortsReport(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        cohorts=cohorts.by_signup_month(as_of=as_of),
    )


def full_report(*, as_of: date) -> dict[str, RevenueReport]:
    """Return every report as of a day, with its default range."""
    year = movements.first_of_twelve_months(as_of)
    return {
        "mrr": mrr_report(as_of=as_of),
        "movements": movements_report(first=year, last=as_of, as_of=as_of),
        "churn": churn_report(as_of=as_of),
        "ltv": ltv_report(as_of=as_of),
        "cohorts": cohorts_report(as_of=as_of),
    }


def _period(period: MovementPeriod) -> ReportedPeriod:
    values: dict[str, Any] = {
        field.name: getattr(period, field.name) for field in fields(ReportedPeriod)
    }
    return ReportedPeriod(**values | {"quick_ratio": _ratio(period.quick_ratio)})


def _minor_units(amount: Fraction | None) -> int | None:
    return None if amount is None else rounded(amount)


def _ratio(exact: Fraction | None) -> float | None:
    return None if exact is None else float(exact)
