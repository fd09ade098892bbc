"""Which days are known, against sets of days."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations import activity_bitmap

PERSONS = 3
rows = st.lists(st.tuples(st.integers(0, PERSONS - 1), st.integers(1, 300)), max_size=30)


def columns(some):
    index, day = np.array(some, np.int64).reshape(-1, 2).T
    return index, day


@given(st.lists(rows, max_size=4), rows)
def test_a_day_is_stored_where_it_was_added_and_is_not_long_before_the_latest(batches, queries):
    persons = np.zeros(PERSONS, activity_bitmap.FIELDS)
    days: list[set[int]] = [set() for _ in range(PERSONS)]
    for batch in batches:
        activity_bitmap.add(persons, *columns(batch))
        for index, day in batch:
            days[index].add(day)
    index, day = columns(queries + [row for batch in batches for row in batch])
    wanted = [
        number in days[where] and number > max(days[where]) - activity_bitmap.DAYS
        for where, number in zip(index, day, strict=True)
    ]
    assert activity_bitmap.contains(persons, index, day).tolist() == wanted
