"""What a report contains, and how it is stored."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import Person
from common.api.serializers import serializer_of
from operational.models import Alert, Report, ReportKind
from operational.reports import making, reports
from operational.reports.weekly_content import ReportStep, WeeklyReport
from tests.api import get
from tests.operational.kpi_data import NOW, a_filled_project
from tests.operational.reports.schedules import MINUTE, MORNING, weekly_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


def test_p22_a_report_has_the_available_numbers(sends, mail_server):
    weekly_off()
    a_filled_project()
    sends(MORNING)
    text, html = mail_server.text(), mail_server.html()
    assert "D7 retention" in text
    assert "22.0 %" in text
    assert "22.0 %" in html
    assert "LTV:CAC" in text[text.index("UNKNOWN") :]
    assert text.count("\n") < 90


def test_active_alerts_are_in_the_subject_and_the_text(sends, mail_server):
    weekly_off()
    Alert.objects.create(
        kind="kpi", subject="churn_rate", status="critical", firing="critical", episode=1,
        fired_at=NOW, since=NOW, latest="12.0 %",
    )  # fmt: skip
    sends(MORNING)
    assert mail_server.subjects == ["Daily report of 2026-03-31: no score yet, 1 alert"]
    assert "Customer churn, monthly: critical. 12.0 %" in mail_server.text()


def test_a_report_of_an_empty_installation_lists_what_is_unknown(mail_server):
    report = making.make(ReportKind.WEEKLY, now=NOW)
    assert isinstance(report, WeeklyReport)
    assert report.alignment.score is None
    assert all(kpi.value is None for kpi in report.kpis)
    assert len(report.unknown) == 8
    assert report.revenue is None
    assert report.data_quality.score is None
    text, _ = reports.rendered(report)
    assert "no KPI counts yet" in text
    assert "Unknown: no payments yet" in text


def test_the_weekly_report_has_all_sections():
    a_filled_project()
    report = making.make(ReportKind.WEEKLY, now=NOW)
    assert isinstance(report, WeeklyReport)
    assert (len(report.activation), len(report.growth)) == (4, 6)
    assert [point.days_ago for point in report.alignment.trend] == [7, 14, 30, 60, 90]
    assert report.funnel.steps[0] == ReportStep(name="Signed up", persons=100, rate=1.0)


@pytest.mark.parametrize("kind", ReportKind)
def test_the_api_returns_a_report_as_it_is_stored(kind):
    a_filled_project()
    report = making.make(kind, now=NOW)
    stored = making.as_json(report)
    report_class: Any = type(report)
    assert serializer_of(report_class)(report).data == stored
    assert get(f"operational/{kind}-report").keys() == stored.keys()
    assert making.from_json(stored) == report


def test_a_report_has_values_with_their_units():
    a_filled_project()
    (d7,) = [
        kpi for kpi in making.make(ReportKind.DAILY, now=NOW).kpis if kpi.kpi == "d7_retention"
    ]
    assert (d7.value, d7.unit, d7.status) == (0.22, "rate", "ok")
    assert d7.interval.low == pytest.approx(0.15, abs=0.01)
    assert d7.interval.high == pytest.approx(0.31, abs=0.01)


def test_a_report_of_demo_data_says_so():
    assert not making.make(ReportKind.DAILY, now=NOW).has_demo
    Person.objects.create(is_demo=True)
    text, html = reports.rendered(making.make(ReportKind.DAILY, now=NOW))
    assert "these numbers belong to a made-up company" in text
    assert "these numbers belong to a made-up company" in html


def test_a_stored_report_does_not_change(sends):
    weekly_off()
    sends(MORNING)
    report = Report.objects.get()
    a_filled_project()
    assert (
        reports.of_period(ReportKind.DAILY, report.day, now=MORNING + MINUTE).content
        == report.content
    )


def test_a_daily_report_takes_at_most_40_queries():
    a_filled_project()
    making.make(ReportKind.DAILY, now=NOW)
    with CaptureQueriesContext(connection) as queries:
        making.make(ReportKind.DAILY, now=NOW)
    assert len(queries) <= 40
    assert not [query["sql"] for query in queries if 'analytics_event"' in query["sql"]]
