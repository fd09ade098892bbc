"""CSV files of spend: understood, or refused with the errors by line."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.calculations.imports.errors import NotUnderstood
from growth.calculations.spend.files import decoded
from growth.models import ChannelAlias, SpendDay
from growth.spend import importing
from tests.growth.spend.company import stored

pytestmark = pytest.mark.django_db
GOOD = "channel,campaign,day,amount,currency\ngoogle ads,spring,2024-06-01,12.50,usd\n"


def run(command, *arguments):
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("channel", "Channel").replace("usd", "USD"),
        GOOD.replace(",currency", "").replace(",usd", ""),
        "\ufeff" + GOOD,
        (
            'note,"channel",amount,campaign,from,to\n'
            '"a, b",Google-Ads,12.5,spring,2024-06-01,2024-06-01\n'
        ),
    ],
)
def test_files_as_people_write_them_are_understood(text):
    (line,) = importing.read(decoded(text.encode())).lines
    assert (line.channel, line.campaign, line.amount) == ("google", "spring", 1250)
    assert (line.first, line.last, line.currency) == (date(2024, 6, 1), date(2024, 6, 1), "usd")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",,2024-06-01,1,usd", "channel: must have 1 to 80 characters"),
        (f"{'x' * 81},,2024-06-01,1,usd", "channel: must have 1 to 80 characters"),
        (f"x,{'c' * 201},2024-06-01,1,usd", "campaign: must have at most 200 characters"),
        ("x,,1.6.2024,1,usd", "day: “1.6.2024”"),
        ("x,,,1,usd", "from: “” must be a day"),
        ("x,,2024-06-31,1,usd", "day: “2024-06-31”"),
        ("x,,1999-12-31,1,usd", "days: must be in order, from 2000-01-01"),
        ("x,,2024-06-01,-1,usd", "amount: “-1” must be a number"),
        ('x,,2024-06-01,"1,50",usd', "amount: “1,50” must be a number"),
        ("x,,2024-06-01,,usd", "amount: “” must be a number"),
        ("x,,2024-06-01,1e3,usd", "amount: “1e3” must be a number"),
        ("x,,2024-06-01,1.001,usd", "amount: USD has 2 decimals"),
        ("x,,2024-06-01,1.5,jpy", "amount: JPY has 0 decimals"),
        ("x,,2024-06-01,1,dollars", "currency: “dollars” is not supported"),
        ("x,,2024-06-01,1", "row: 4 cells, but the header has 5"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_its_field(row, problem):
    file = importing.read(f"{GOOD}{row}\n")
    assert list(file.problems) == [3]
    assert file.problems[3].startswith(problem)


@pytest.mark.parametrize(
    ("row", "overlaps"),
    [
        ("x,2024-06-03,2024-06-05,1", True),
        ("x,2024-06-05,2024-06-05,1", True),
        ("X,2024-06-01,2024-06-30,1", True),
        ("x,2024-06-06,2024-06-07,1", False),
        ("y,2024-06-03,2024-06-05,1", False),
    ],
)
def test_lines_that_overlap_are_refused_because_they_may_mean_a_sum(row, overlaps):
    file = importing.read(f"channel,from,to,amount\nx,2024-06-01,2024-06-05,1\n{row}\n")
    assert bool(file.problems) is overlaps
    assert all("is in line 2, too" in text for text in file.problems.values())


def test_two_aliases_of_a_channel_overlap():
    file = importing.read("channel,day,amount\nadwords,2024-06-01,1\ngoogle ads,2024-06-01,1\n")
    assert list(file.problems) == [3]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "needs the columns channel and amount"),
        (b"a,b\n1,2\n", "needs the columns channel and amount"),
        (b"channel,amount\nx,1\n", "needs the column day, or the columns from and to"),
        (b"channel,amount,from\nx,1,2024-06-01\n", "needs the column day"),
        (b"channel,amount,day,day\n", "two columns are named day"),
        (b"channel,amount,day" + b",a" * 200_000, "two columns are named a"),  # S04: quadratic
        (b"PK\x03\x04", "an Excel file"),
        (GOOD.encode() + "caf\xe9".encode("latin-1"), "line 3 is not UTF-8"),
        (b"x" * 500_001, "more than 500 kB"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_as_a_whole(content, problem):
    with pytest.raises(NotUnderstood, match=problem):
        importing.read(decoded(content))


def test_too_many_days_at_once_are_refused():
    rows = "".join(f"c{number},2024-01-01,2024-12-31,1\n" for number in range(137))
    with pytest.raises(NotUnderstood, match="at most 50,000 at once"):
        importing.read(f"channel,from,to,amount\n{rows}")


def test_import_spend_stores_a_file_once(tmp_path):
    path = tmp_path / "spend.csv"
    path.write_text("channel,from,to,amount\nadwords,2024-06-01,2024-06-03,1.00\n")
    would = "Would store: 3 days added, 0 replaced, 0 converted, 0 unchanged."
    assert would in run("import_spend", path, "--dry-run")
    assert not SpendDay.objects.exists()
    assert "Stored: 3 days added" in run("import_spend", path)
    assert "0 replaced, 0 converted, 3 unchanged" in run("import_spend", path)
    assert stored() == [(1, 33, 33), (2, 33, 33), (3, 34, 34)]


def test_import_spend_names_what_it_replaces(tmp_path):
    path = tmp_path / "spend.csv"
    for amount in ("1.00", "2.00"):
        path.write_text(f"channel,day,amount\ngoogle,2024-06-01,{amount}\n")
        output = run("import_spend", path)
    assert "google on 2024-06-01: 1.00 USD -> 2.00 USD" in output


def test_import_spend_imports_all_lines_or_none(tmp_path):
    path = tmp_path / "spend.csv"
    path.write_text("channel,day,amount\ngoogle,2024-06-01,1\ngoogle,yesterday,1\n")
    with pytest.raises(CommandError, match="line 3, day: “yesterday”"):
        run("import_spend", path)
    assert not SpendDay.objects.exists()


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run("import_spend", tmp_path / "no.csv")


def test_convert_spend_lists_the_months_that_change(tmp_path):
    path = tmp_path / "spend.csv"
    path.write_text("channel,day,amount,currency\ngoogle,2024-06-01,10,eur\n")
    assert "No exchange rate: EUR" in run("import_spend", path)
    rates = tmp_path / "rates.csv"
    rates.write_text("day,currency,into,rate\n2024-06-01,eur,usd,1.1\n")
    run("import_fx_rates", rates)
    assert "June 2024: 11.00 USD more" in run("convert_spend", "--dry-run")
    assert stored() == [(1, 1000, None)]
    assert "Converted: 1 day of spend." in run("convert_spend")
    assert stored() == [(1, 1000, 1100)]


def test_the_usual_names_of_advertising_products_are_aliases():
    names = dict(ChannelAlias.objects.values_list("alias", "channel"))
    assert (names["adwords"], names["google ads"]) == ("google", "google")
    assert "google.com" not in names  # search results were not paid for
