"""Where things go in the charts of active users and the heat map."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.calculations.charts import axis, bar, heat_level, polyline


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([], (0, 1)),
        ([0], (0, 1)),
        ([3], (0, 1, 2, 3)),
        ([1274], (0, 500, 1000, 1500)),
        ([930, -251], (-500, 0, 500, 1000)),
    ],
)
def test_an_axis_has_round_numbers(values, ticks):
    assert axis(values).ticks == ticks


@given(st.lists(st.integers(-(10**7), 10**7)))
def test_every_value_has_its_place_on_few_ticks(values):
    scale = axis(values)
    assert all(0 <= scale.y(value) <= 100 for value in [0, *values])
    assert 2 <= len(scale.ticks) <= 9


def test_a_line_goes_from_edge_to_edge():
    assert polyline([0, 5, 10], axis([10])) == "0.0,100.0 50.0,50.0 100.0,0.0"


def test_one_value_is_a_point():
    assert polyline([10], axis([10])) == "0.0,0.0"


def test_a_bar_below_zero_hangs_from_it():
    hanging = bar(1, 2, start=0, end=-10, on=axis([10, -10]))
    assert (hanging.y, hanging.height) == (50, 50)
    assert 50 < hanging.x < hanging.x + hanging.width < 100


def test_the_highest_rate_is_the_strongest():
    rates = (0.1, 0.2, 0.3, 0.5, 1.0)
    assert [heat_level(rate, lowest=0.1, highest=0.5) for rate in rates] == [0, 2, 4, 8, 8]


def test_without_rates_nothing_is_coloured():
    assert heat_level(0, lowest=0, highest=0) == 0
