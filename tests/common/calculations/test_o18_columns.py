"""O18: the bars of reports start at 0."""

import pytest

from common.calculations.charts import columns


def heights(*values, tallest=32):
    return [column.height for column in columns(values, tallest=tallest)]


def test_o18_bars_are_as_high_as_their_values():
    assert heights(10.0, 8.4) == [32, 27]
    assert heights(20.0, 2.0) == [32, 3]
    assert heights(5.0, 5.0) == [32, 32]
    assert heights(0.0, 0.0) == [1, 1]
    assert columns([], tallest=32) == []


def test_o18_negative_values_hang_below_zero():
    up, down, zero = columns([0.1, -0.3, 0.0], tallest=40)
    assert (up.height, up.below) == (10, 30)
    assert (down.height, down.below) == (30, 0)
    assert (zero.height, zero.below) == (1, 30)


@pytest.mark.parametrize("values", [[0.5, 0.25], [-1.0, 3.0, 2.0], [1e-9, 5.0], [-2.0, -1.0]])
def test_o18_no_column_is_higher_than_the_chart(values):
    assert all(sum(column) <= 33 for column in columns(values, tallest=32))
