import json

import pytest
import time_machine
from django.core.management import CommandError, call_command

from operational.models import KpiReading
from tests.operational.kpi_data import NOW, a_filled_project

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


def lines_of(capsys, *command):
    call_command(*command)
    return capsys.readouterr().out.splitlines()


def test_kpis_shows_a_line_for_each_kpi_and_the_score(capsys):
    a_filled_project()
    lines = lines_of(capsys, "kpis")
    assert lines[1].split() == (
        "D7 retention 22.0 % 25.0 % 15.0 – 31.1 % 22 / 100 ok 88.0 3.4".split()
    )
    assert lines[-1] == "Alignment score 83.6: on_track, coverage 70 %, as of 2026-03-31"


def test_kpis_says_why_a_kpi_does_not_count(capsys):
    lines = lines_of(capsys, "kpis")
    assert any(line.startswith("Viral coefficient: No referrals are recorded.") for line in lines)


def test_kpis_prints_the_response_bodies_of_the_api(capsys, admin_client):
    a_filled_project()
    call_command("kpis", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "alignment_score": admin_client.get("/api/operational/alignment-score").json(),
        "kpi_status": admin_client.get("/api/operational/kpi-status").json(),
    }


def test_kpis_accepts_a_past_day(capsys):
    assert lines_of(capsys, "kpis", "--as-of", "2026-02-01")[-1].endswith("as of 2026-02-01")


def test_kpis_refuses_an_incomplete_day():
    with pytest.raises(CommandError, match="--as-of: 2026-04-01 is not over"):
        call_command("kpis", "--as-of", "2026-04-01")


@pytest.mark.parametrize("command", ["kpis", "revenue"])
def test_a_day_in_another_form_is_refused_with_an_example(command):
    with pytest.raises(CommandError, match="'foo' must be a day such as 2026-03-31"):
        call_command(command, "--as-of", "foo")


@pytest.mark.parametrize("command", ["kpis", "backfill_kpis"])
def test_p34_without_data_commands_say_how_to_start(capsys, command):
    call_command(command)
    assert "manage.py import_events" in capsys.readouterr().err


def test_backfill_records_the_days_up_to_the_last_complete_day(capsys):
    a_filled_project()
    call_command("backfill_kpis", "--days", "10")
    days = KpiReading.objects.filter(kpi="d7_retention").values_list("day", flat=True)
    assert (len(days), f"{min(days)}", f"{max(days)}") == (10, "2026-03-22", "2026-03-31")
    assert "import_events" not in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "-1", "many", "99999"])
def test_backfill_refuses_an_invalid_number_of_days(days):
    with pytest.raises(CommandError):
        call_command("backfill_kpis", f"--days={days}")
