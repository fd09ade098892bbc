"""Fill the counters that the KPIs read."""

from datetime import UTC, date, datetime, timedelta

from analytics.calculations.cells import CounterName, delay_bucket
from analytics.models import Counter, Person, PersonDay
from analytics.rollups import counters
from common.postgres import raw_cursor

AS_OF = date(2026, 3, 31)
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


def count(name, day, value, number=0):
    Counter.objects.create(name=name, day=day, number=number, value=value)


def signups(day, size, *, activated=0, quickly=0, retained=None):
    """Add a cohort; `retained` maps day numbers to numbers of people."""
    count("signup", day, size)
    count("activated", day, activated)
    count("activated_quickly", day, quickly)
    for number, persons in (retained or {}).items():
        count("signup_retained", day, persons, number)


def active_users(month, persons):
    count("active_month", month, persons)


def a_filled_project():
    """D7 22 %, activation 30 %, D30 15 %, in 24 h 20 %, growth 10 %, as of `AS_OF`."""
    signups(AS_OF - timedelta(days=33), 100, activated=30, retained={7: 22, 30: 15})
    signups(AS_OF - timedelta(days=5), 50, quickly=10)
    active_users(date(2026, 2, 1), 200)
    active_users(date(2026, 3, 1), 220)


def person(signup_at, *, activated_after=None, active_days=(), excluded=False):
    """Add a person who was active on the `active_days`, counted from the day of signup (UTC)."""
    added = Person.objects.create(
        signup_at=signup_at,
        activated_at=None if activated_after is None else signup_at + activated_after,
        excluded=excluded,
    )
    if bucket := delay_bucket(activated_after):
        cell = CounterName.ACTIVATION_DELAY, signup_at.date().toordinal(), bucket
        counters.add(raw_cursor(), {cell: 1})
    for day in active_days:
        PersonDay.objects.create(person=added, day=signup_at.date() + timedelta(days=day))
    return added


def noon(day):
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
