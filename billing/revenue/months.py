"""Calendar months of dates."""

from datetime import date, timedelta

from common.calculations.calendar import month_start, next_month


def month_after(day: date) -> date:
    """Return the first day of the next month."""
    return date.fromordinal(next_month(month_start(day.toordinal())))


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return month_after(day) - timedelta(days=1)
