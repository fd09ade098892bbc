"""A report of a real product without billing: known values, unknown ones, and the reasons."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from common import formatting
from operational.actions import priority_actions
from operational.models import ReportKind
from operational.quality import data_quality
from operational.reports import making, reports
from tests import real_data

NOW = datetime(2018, 9, 2, 9, tzinfo=UTC)
EVENTS = "events_se_quantum/events.jsonl.gz"

pytestmark = [real_data.needed(EVENTS), pytest.mark.django_db]


@pytest.fixture(scope="module")
def report(django_db_setup, django_db_blocker):
    definitions = {"PLUMBLINE_ACTIVATION_EVENT": "question_asked"}
    with (
        real_data.imported(EVENTS, django_db_blocker, **definitions),
        time_machine.travel(NOW, tick=False),
    ):
        data_quality.run(now=NOW)
        priority_actions.refresh(now=NOW)
        yield making.make(ReportKind.WEEKLY, now=NOW, as_of=date(2018, 9, 1))


def test_it_has_the_numbers_that_were_counted_by_hand(report):
    values = {
        kpi.kpi: formatting.figure(kpi.value, kpi.unit)
        for kpi in report.kpis
        if kpi.value is not None
    }
    assert values == {
        "d7_retention": "2.4 %",  # 5 of 212
        "activation_rate": "8.0 %",  # 17 of 212
        "d30_retention": "0.3 %",  # 1 of 314
        "signup_activation": "7.3 %",  # 16 of 219
        "growth_mom": "−35.6 %",  # from 491 to 316
    }


def test_kpis_that_need_billing_or_referrals_are_unknown_with_a_reason(report):
    unknown = {kpi.name: kpi.reason for kpi in report.unknown}
    assert set(unknown) == {"LTV:CAC", "Customer churn, monthly", "Viral coefficient"}
    assert all(unknown.values())
    assert report.revenue is None
    assert report.real_time.revenue_24h == {}


def test_the_score_comes_with_its_coverage(report):
    alignment = report.alignment
    assert alignment.coverage == pytest.approx(0.70)
    assert alignment.score < 50
    assert alignment.band == "off_track"


def test_days_that_were_never_recorded_are_unknown(report):
    assert all(point.change is None for point in report.alignment.trend)
    assert all("No readings for that day" in point.note for point in report.alignment.trend)
    assert all(kpi.change is None for kpi in report.kpis)


def test_the_top_priority_is_the_biggest_gap(report):
    points = [action.points for action in report.actions if action.points]
    assert points == sorted(points, reverse=True)
    assert report.actions[0].title == "Bring people back in their first week"
    assert report.actions[0].people == 212 - 5


def test_the_text_reads_well(report):
    text, _ = reports.rendered(report)
    assert "Unknown: no payments yet, or billing is not connected." in text
    assert "None" not in text
    assert "nan" not in text.lower().split()
