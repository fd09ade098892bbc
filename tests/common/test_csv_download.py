import csv
import io

import pytest

from common.csv_download import csv_cell, csv_download


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n1", "＝1", "|cmd"])
def test_s13_a_cell_is_never_a_formula(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", [" =1", "'=1", '"=1', "' \t@x", "\ufeff+1", "\u200b-1", "\xa0=1"])
def test_s13_a_cell_is_not_a_formula_behind_blanks_and_quotes(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -1.5, None, "a=b", "", "'", "2026-04-01", "cus_1"])
def test_other_values_stay_as_they_are(value):
    assert csv_cell(value) == value


def test_s13_every_cell_of_a_download_is_guarded():
    response = csv_download("file.csv", ["day", "=name"], [["\t=1", 'a"b']])
    text = response.getvalue().decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["day", "'=name"],
        ["'\t=1", 'a"b'],
    ]
    assert response["Content-Disposition"] == 'attachment; filename="file.csv"'
