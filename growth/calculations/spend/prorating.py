"""Spend of a range of days, spread over its days. Amounts are whole minor units."""

from datetime import date, timedelta


def days_of(first: date, last: date) -> list[date]:
    """Return the days of a range, both ends included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def per_day(amount: int, first: date, last: date) -> dict[date, int]:
    """Spread an amount such that days differ by at most 1 and their sum is exactly the amount.

    The units that cannot be divided are spread evenly, too: 10 over 4 days are 2, 3, 2 and 3.
    """
    days = days_of(first, last)
    number = len(days)
    return {
        day: amount * (index + 1) // number - amount * index // number
        for index, day in enumerate(days)
    }
