from datetime import date, timedelta

import pytest

from common.calculations.line_chart import Sample, line_chart

FIRST = date(2026, 1, 1)
LAST = FIRST + timedelta(days=10)


def chart(values, *, target=5.0, **ends):
    """Chart values by the number of their day."""
    samples = [Sample(FIRST + timedelta(days=day), v, **ends) for day, v in values.items()]
    return line_chart(samples, target=target, first=FIRST, last=LAST)


def points(line):
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_no_values_make_no_chart():
    assert chart({}) is None


def test_days_run_from_left_to_right():
    assert [x for x, _ in points(chart({0: 1.0, 1: 2.0, 2: 3.0}).lines[0])] == [0, 10, 20]


def test_a_higher_value_is_drawn_higher():
    (low, high) = points(chart({0: 1.0, 1: 2.0}).lines[0])
    assert high[1] < low[1]


def test_the_line_breaks_where_a_day_is_missing():
    assert len(chart({0: 1.0, 1: 2.0, 5: 2.0, 6: 3.0}).lines) == 2


def test_a_day_on_its_own_is_a_dot():
    first, second = points(chart({4: 1.0}).lines[0])
    assert first == second


def test_everything_lies_in_the_box():
    drawn = chart({0: -3.0, 1: 9.0}, target=20.0, low=-5.0, high=11.0)
    heights = [y for line in (*drawn.lines, *drawn.bands) for _, y in points(line)]
    assert all(0 <= y <= 100 for y in [*heights, drawn.target_y, drawn.last_y])


def test_shares_are_drawn_above_zero():
    assert min(tick.value for tick in chart({0: 0.0, 1: 0.3}, target=0.25).ticks) >= 0


@pytest.mark.parametrize(
    ("values", "target", "ticks"),
    [
        ({0: 0.18, 1: 0.26}, 0.25, [0.18, 0.2, 0.22, 0.24, 0.26]),
        ({0: 0.0, 1: 4.0}, 4.0, [0, 1, 2, 3, 4]),
    ],
)
def test_the_axis_names_round_numbers(values, target, ticks):
    assert [tick.value for tick in chart(values, target=target).ticks] == ticks


def test_values_that_are_all_the_same_have_a_chart():
    assert chart({0: 0.0, 1: 0.0}, target=0.0).lines


def test_the_interval_is_drawn_around_the_line():
    assert len(points(chart({0: 2.0, 1: 3.0}, low=1.0, high=4.0).bands[0])) == 4


def test_values_without_interval_have_no_band():
    assert chart({0: 2.0, 1: 3.0}).bands == ()


def test_the_text_alternative_gets_the_extremes():
    drawn = chart({0: 2.0, 1: 9.0, 2: 1.0, 3: 4.0})
    extremes = drawn.first, drawn.last, drawn.lowest, drawn.highest
    assert [sample.value for sample in extremes] == [2, 4, 1, 9]
