"""Which days are known, against sets of days."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations import activity_bitmap

PERSONS = 3
rows = st.lists(st.tuples(st.integers(0, PERSONS - 1), st.integers(1, 300)), max_size=30)


def columns(some):
    place, day = np.array(some, np.int64).reshape(-1, 2).T
    return place, day


@given(st.lists(rows, max_size=4), rows)
def test_a_day_is_known_where_it_was_added_and_is_not_long_before_the_latest(batches, asked):
    persons = np.zeros(PERSONS, activity_bitmap.FIELDS)
    days: list[set[int]] = [set() for _ in range(PERSONS)]
    for batch in batches:
        activity_bitmap.add(persons, *columns(batch))
        for place, day in batch:
            days[place].add(day)
    place, day = columns(asked + [row for batch in batches for row in batch])
    wanted = [
        one in days[where] and one > max(days[where]) - activity_bitmap.DAYS
        for where, one in zip(place, day, strict=True)
    ]
    assert activity_bitmap.contains(persons, place, day).tolist() == wanted
