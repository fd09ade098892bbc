import pytest

from common import formatting
from common.formatting import Unit
from common.templatetags import numbers
from operational.templatetags import figures


@pytest.mark.parametrize(
    ("change", "signed", "moved"),
    [
        (2.34, "+2.3", "up 2.3 points"),
        (-2.34, "−2.3", "down 2.3 points"),
        (0.04, "±0.0", "unchanged"),
        (-0.04, "±0.0", "unchanged"),
    ],
)
def test_the_words_for_a_change_match_its_rounded_number(change, signed, moved):
    assert (formatting.signed_points(change), figures.moved(change)) == (signed, moved)


def test_an_unknown_value_is_a_dash_and_never_zero():
    filters = formatting.points, numbers.percent, formatting.number
    assert {format_value(None) for format_value in filters} | {figures.figure(None, Unit.RATE)} == {
        "–"
    }


def test_persons_are_whole_numbers_with_thousands():
    assert formatting.number(12_345.0) == "12,345"


@pytest.mark.parametrize(("attainment", "width"), [(-0.5, 0), (0.4, 40), (1.3, 100), (None, 100)])
def test_a_bar_stays_in_its_track(attainment, width):
    assert figures.bar_width(attainment) == width
