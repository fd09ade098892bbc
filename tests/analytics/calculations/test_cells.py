"""The one rule from a person's history to counter cells, against plain counting."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.cells import CounterName, Firsts, add_cells, delay_bucket

FIRST = date(2024, 1, 1).toordinal()
day_sets = st.sets(st.integers(FIRST, FIRST + 130), max_size=25).map(sorted)
some_day = st.integers(FIRST, FIRST + 130)


def cells(days, signup_day=None, delay=None, excluded=False):
    counted: Counter[Any] = Counter()
    firsts = Firsts(signup_day, delay_bucket(delay), min(days, default=None), excluded)
    add_cells(counted, firsts, sorted(days))
    return counted


def activated(delay):
    counted = cells([FIRST], signup_day=FIRST, delay=delay)
    return counted[CounterName.ACTIVATED, FIRST, 0], counted[
        CounterName.ACTIVATED_QUICKLY, FIRST, 0
    ]


@given(day_sets)
def test_trailing_edges_add_up_to_whether_the_person_was_active_in_the_window(days):
    counted = cells(days)
    for name, window in ((CounterName.TRAILING_7, 7), (CounterName.TRAILING_30, 30)):
        running = 0
        for today in range(FIRST, FIRST + 170):
            running += counted[name, today, 0]
            assert running == any(today - window < day <= today for day in days)


@given(day_sets)
def test_p12_growth_accounting_reconciles_with_active_months(days):
    counted = cells(days)
    months = [day for (name, day, _), _ in counted.items() if name == CounterName.ACTIVE_MONTH]
    for month in months:
        kinds = (
            CounterName.MONTH_NEW,
            CounterName.MONTH_RETAINED,
            CounterName.MONTH_RESURRECTED,
        )
        assert sum(counted[kind, month, 0] for kind in kinds) == 1
        following = date.fromordinal(month + 31).replace(day=1).toordinal()
        kept, lost = (
            counted[kind, following, 0]
            for kind in (CounterName.MONTH_RETAINED, CounterName.MONTH_CHURNED)
        )
        assert kept + lost == 1


@given(day_sets, some_day)
def test_a_person_is_retained_on_exactly_the_days_they_were_active(days, signup_day):
    counted = cells(days, signup_day)
    retained = {number for (name, _, number) in counted if name == CounterName.SIGNUP_RETAINED}
    assert retained == {day - signup_day for day in days if day >= signup_day}


@given(st.sets(some_day, min_size=2, max_size=25), st.data())
def test_a_change_depends_only_on_the_days_around_it(days, data):
    added = data.draw(st.sets(st.sampled_from(sorted(days)), min_size=1))
    kept = days - added
    signup = data.draw(some_day)
    low, high = min(added), max(added)
    near = sorted(
        {day for day in days if low <= day <= high}
        | {max((day for day in kept if day < low), default=low)}
        | {min((day for day in kept if day > high), default=high)}
    )

    def change(around):
        counted: Counter[Any] = Counter()
        firsts = Firsts(signup, None, min(kept, default=low))
        add_cells(counted, firsts, sorted(around))
        add_cells(counted, firsts, sorted(set(around) - added), -1)
        return {cell: amount for cell, amount in counted.items() if amount}

    assert change(near) == change(days)


def test_an_excluded_person_counts_nowhere():
    assert not cells([FIRST], signup_day=FIRST, excluded=True)


def test_activity_before_signup_is_not_retention():
    counted = cells([FIRST], signup_day=FIRST + 1)
    assert not [cell for cell in counted if cell[0] == CounterName.SIGNUP_RETAINED]


def test_activation_counts_until_exactly_seven_days_after_signup():
    assert activated(timedelta(days=7)) == (1, 0)
    assert activated(timedelta(days=7, microseconds=1)) == (0, 0)


def test_activation_within_24_hours_counts_as_quick():
    assert activated(timedelta(hours=24)) == (1, 1)
    assert activated(timedelta(hours=24, microseconds=1)) == (1, 0)


def test_activation_up_to_five_minutes_before_signup_is_clock_skew():
    assert activated(timedelta(minutes=-5)) == (1, 1)
    assert activated(timedelta(minutes=-5, microseconds=-1)) == (0, 0)
