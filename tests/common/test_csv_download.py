import csv
import io
import re
from datetime import date
from decimal import Decimal

import pytest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from common.csv_download import csv_cell, csv_download


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t1", "\r1", "\n1", "＝1", "|cmd", "﹢1"]
)
def test_s13_a_cell_is_never_a_formula(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", [" =1", "'=1", '"=1', "' @x", "\ufeff+1", "\u200b-1", "\xa0=1"])
def test_s13_a_cell_is_not_a_formula_behind_blanks_and_quotes(text):
    assert csv_cell(text) == f"'{text}"


INVISIBLE = """
    00ad 034f 061c 115f 1160 17b4 180b 180e 200b 200c 200d 200e 200f 2028 2029 202a 202e 2060 2061
    2066 2069 206a 206f 3164 fe00 fe0f feff ffa0 fff9 1d173 e0001 e0020 e0100 0001 0008 001f 007f
    0085 0300
""".split()


@pytest.mark.parametrize("first", "=+-@|%")
@pytest.mark.parametrize("code", INVISIBLE)
def test_h17_a_cell_is_not_a_formula_behind_invisible_characters(code, first):
    mark = chr(int(code, 16))
    assert csv_cell(f"{mark}{first}1") == f"'{mark}{first}1"
    assert csv_cell(f" {mark}'{mark} {first}1") == f"' {mark}'{mark} {first}1"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a; =1", "a;' =1"),
        ("a;\u200e@x;-2", "a;'\u200e@x;'-2"),
        (";=1", ";'=1"),
        ("a\n=1", "a\n'=1"),
        ("a\r\n+1", "a\r\n'+1"),
        ("a\t=1", "a\t'=1"),
        ("\t=1", "'\t'=1"),
        ('a";"=1', 'a";\'"=1'),
    ],
)
def test_h17_no_part_of_a_cell_is_a_formula_where_semicolons_separate_cells(text, cell):
    assert csv_cell(text) == cell


@given(st.text(alphabet=st.sampled_from([*"=+-@|% \t\r\n;,'\"a1\u00ad\u200e\uff1d"]), max_size=9))
def test_h17_no_cell_of_a_line_is_a_formula_by_either_separator(text):
    """However a spreadsheet splits the line: as CSV, or at semicolons and line ends alone."""
    line = csv_download("file.csv", ["a"], [["x", text, "y"]]).getvalue().decode()
    cells = [cell for row in csv.reader(io.StringIO(line, newline="")) for cell in row]
    cells += re.split(r"[;\t\r\n]", line)
    assert not [
        cell for cell in cells if cell.lstrip(' "\u00ad\u200e').startswith(tuple("=+-@|%＝"))
    ]


class _Named:
    def __str__(self):
        return "=1"


@pytest.mark.parametrize("value", [_Named(), gettext_lazy("=1"), SafeString("=1")])
def test_h17_what_becomes_a_text_is_guarded_as_a_text(value):
    assert csv_cell(value) == "'=1"


@pytest.mark.parametrize(
    "value",
    [
        *(-1, -1.5, Decimal(-2), date(2026, 4, 1), None),
        *("a=b", "", "'", "2026-04-01", "cus_1", "a;b", "1; 2", "José", "a, -b", "e\u0301=1"),
    ],
)
def test_other_values_stay_as_they_are(value):
    assert csv_cell(value) == value


def test_s13_every_cell_of_a_download_is_guarded():
    response = csv_download("file.csv", ["day", "=name"], [["\t=1", 'a"b']])
    text = response.getvalue().decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["day", "'=name"],
        ["'\t'=1", 'a"b'],
    ]
    assert response["Content-Disposition"] == 'attachment; filename="file.csv"'
