"""Where things go in a chart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.calculations.charts import (
    axis_from_zero,
    bar,
    bar_labels,
    heat_level,
    line_labels,
    polyline,
)


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
    assert axis_from_zero(values).rounds == ticks


@given(st.lists(st.integers(-(10**7), 10**7)))
def test_an_axis_spans_every_value_with_few_ticks(values):
    axis = axis_from_zero(values)
    assert all(0 <= axis.y(value) <= 100 for value in [0, *values])
    assert 2 <= len(axis.ticks) <= 9


def test_a_line_goes_from_edge_to_edge():
    assert polyline([0, 5, 10], axis_from_zero([10])) == "0.0,100.0 50.0,50.0 100.0,0.0"


def test_one_value_is_a_point():
    assert polyline([10], axis_from_zero([10])) == "0.0,0.0"


def test_a_negative_bar_hangs_from_zero():
    hanging = bar(1, 2, start=0, end=-10, axis=axis_from_zero([10, -10]))
    assert (hanging.y, hanging.height) == (50, 50)
    assert 50 < hanging.x < hanging.x + hanging.width < 100


def test_the_highest_rate_is_the_strongest():
    rates = (0.1, 0.2, 0.3, 0.5, 1.0)
    assert [heat_level(rate, lowest=0.1, highest=0.5) for rate in rates] == [0, 2, 4, 8, 8]


def test_without_rates_nothing_is_colored():
    assert heat_level(0, lowest=0, highest=0) == 0


def test_an_axis_of_counts_has_no_signs():
    ticks = axis_from_zero([930, -251]).counts
    assert [(tick.value, tick.y) for tick in ticks] == [
        (500, 100),
        (0, 66.67),
        (500, 33.33),
        (1000, 0),
    ]


def test_labels_are_few_and_evenly_spread():
    texts = [str(number) for number in range(12)]
    assert [text for text, _ in bar_labels(texts)] == ["0", "2", "4", "6", "8", "10"]
    assert bar_labels(["a", "b"]) == [("a", 25), ("b", 75)]
    assert line_labels(["a", "b", "c"]) == [("a", 0), ("b", 50), ("c", 100)]
