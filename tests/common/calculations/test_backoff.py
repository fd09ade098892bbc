from datetime import timedelta

import pytest

from common.calculations.backoff import backoff


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (6, 900), (9_999, 900)]
)
def test_the_wait_doubles_up_to_the_longest(failures, seconds):
    wait = backoff(failures, first=timedelta(seconds=30), longest=timedelta(minutes=15))
    assert wait == timedelta(seconds=seconds)
