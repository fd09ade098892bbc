"""Reports are sent once, in each recipient's own morning."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from analytics.models import Person
from common.api.serializers import serializer_of
from config.beat_schedule import create_missing_entries
from operational.health.system_health import system_health
from operational.messages import deliveries
from operational.models import Alert, Delivery, Report, ReportSubscriber
from operational.reports import making, report_schedule, reports
from operational.reports.report_schedule import Kind
from operational.reports.weekly_content import ReportStep, WeeklyReport
from tests.api import get, post
from tests.operational.kpi_data import NOW, a_filled_project

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MORNING = datetime(2026, 4, 1, 9, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def schedules(time_machine):
    time_machine.move_to(NOW, tick=False)
    begin()


@pytest.fixture
def sends(time_machine, mail_server):
    """Send what is due at a moment; return the subjects that arrived so far."""

    def at(moment):
        time_machine.move_to(moment, tick=False)
        reports.send_due(now=moment)
        return mail_server.subjects

    return at


def begin(at=MORNING - 90 * DAY):
    """Create the schedules, as if Plumbline had been installed then."""
    create_missing_entries()
    PeriodicTask.objects.update(start_time=at)


def subscriber(email="ada@example.com", zone="UTC", *, created_at=MORNING - 90 * DAY, **options):
    return ReportSubscriber.objects.create(
        email=email, time_zone=zone, created_at=created_at, **options
    )


def weekly_off():
    PeriodicTask.objects.filter(name="weekly-report").update(enabled=False)


def test_a_report_is_sent_once_at_its_hour(sends):
    weekly_off()
    assert sends(MORNING - MINUTE) == []
    assert len(sends(MORNING)) == 1
    for minutes in (5, 10, 300, 600):
        assert len(sends(MORNING + minutes * MINUTE)) == 1
    assert len(sends(MORNING + DAY)) == 2


def test_the_weekly_report_is_sent_on_monday_or_late(sends):
    PeriodicTask.objects.filter(name="daily-report").update(enabled=False)
    monday = datetime(2026, 3, 30, 9, tzinfo=UTC)
    assert sends(monday - MINUTE)[-1:] == []
    assert sends(monday) == ["Weekly report of 2026-03-29: no score yet"]
    assert len(sends(monday + 6 * DAY)) == 1


def test_each_recipient_gets_it_in_their_own_morning(sends, mail_server):
    weekly_off()
    subscriber("berlin@example.com", "Europe/Berlin")
    subscriber("york@example.com", "America/New_York")
    sends(datetime(2026, 4, 1, 7, tzinfo=UTC))  # 9 in Berlin
    assert [message.recipients for message in mail_server.messages] == [["berlin@example.com"]]
    sends(datetime(2026, 4, 1, 13, tzinfo=UTC))  # 9 in New York
    assert [message.recipients for message in mail_server.messages][1:] == [["york@example.com"]]


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
    ],
)
def test_p29_a_change_of_the_clocks_neither_skips_nor_doubles_a_report(
    sends, mail_server, zone, change
):
    weekly_off()
    subscriber(zone=zone)
    midnight = datetime.combine(change - 2 * DAY, datetime.min.time(), ZoneInfo(zone))
    moment = midnight.astimezone(UTC)
    end, hours = moment + 5 * DAY, []
    while moment < end:
        before = len(mail_server.messages)
        if len(sends(moment)) > before:
            hours.append(moment.astimezone(ZoneInfo(zone)).hour)
        moment += timedelta(minutes=30)
    assert hours == [9] * 5
    assert Report.objects.count() == 5


def test_p30_an_edited_schedule_is_followed_from_then_on(sends):
    weekly_off()
    assert len(sends(MORNING)) == 1
    seven, _ = CrontabSchedule.objects.get_or_create(minute="30", hour="7", timezone="UTC")
    PeriodicTask.objects.filter(name="daily-report").update(crontab=seven)
    assert len(sends(MORNING + DAY - 2 * timedelta(hours=1))) == 1
    assert len(sends(MORNING + DAY - timedelta(minutes=90))) == 2


def test_a_disabled_schedule_sends_nothing(sends):
    PeriodicTask.objects.filter(name__in=["daily-report", "weekly-report"]).update(enabled=False)
    assert sends(MORNING) == []


def test_a_new_recipient_did_not_miss_earlier_reports(sends):
    weekly_off()
    begin(MORNING + 12 * timedelta(hours=1))
    assert sends(MORNING + 13 * timedelta(hours=1)) == []
    subscriber(created_at=MORNING + DAY + MINUTE)
    assert sends(MORNING + DAY + 2 * MINUTE) == []
    assert len(sends(MORNING + 2 * DAY)) == 1


def test_p24_after_days_of_silence_only_the_current_report_is_sent(sends):
    weekly_off()
    assert sends(MORNING + 5 * DAY) == ["Daily report of 2026-04-05: no score yet"]


@pytest.mark.django_db(transaction=True)
def test_p21_p26_workers_at_once_send_one_report(mail_server, time_machine):
    begin()
    weekly_off()
    ready = threading.Barrier(4)

    def worker():
        ready.wait()
        reports.send_due(now=MORNING)
        connection.close()

    workers = [threading.Thread(target=worker) for _ in range(4)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert len(mail_server.messages) == 1
    assert Report.objects.count() == 1


def test_p23_a_report_that_failed_is_sent_later_and_its_delay_is_a_problem(sends, mail_server):
    weekly_off()

    def health(now):
        return next(part for part in system_health(now).components if part.name == "reports")

    mail_server.refusal = "451 later"
    assert sends(MORNING) == []
    assert health(MORNING + 10 * MINUTE).health == "ok"
    late = health(MORNING + 31 * MINUTE)
    assert (late.health, late.since) == ("warning", MORNING)
    assert late.detail == "Not sent on time: daily report, to 1 recipient."
    mail_server.refusal = ""
    assert len(sends(MORNING + 40 * MINUTE)) == 1
    assert health(MORNING + 41 * MINUTE).health == "ok"


def test_p36_when_the_last_subscriber_leaves_admin_email_gets_it(sends, mail_server):
    weekly_off()
    ada = User.objects.create_user("ada")
    subscriber("ada@office.example", user=ada)
    sends(MORNING)
    ada.is_active = False
    ada.save()
    sends(MORNING + DAY)
    ada.delete()
    sends(MORNING + 2 * DAY)
    assert [message.recipients for message in mail_server.messages] == [
        *(["ada@office.example"], ["ada@example.com"], ["ada@example.com"]),
    ]


def test_opening_the_link_does_not_unsubscribe_and_a_post_does(sends, mail_server, client):
    weekly_off()
    ada = subscriber()
    sends(MORNING)
    headers = mail_server.messages[0]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = headers["List-Unsubscribe"].strip("<> \r\n").removeprefix("http://localhost:8000")
    assert client.get(path).status_code == 200  # P27: as scanners do
    ada.refresh_from_db()
    assert ada.daily
    response = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 200
    ada.refresh_from_db()
    assert (ada.daily, ada.weekly) == (False, True)
    client.post(path, {"again": "1"})
    ada.refresh_from_db()
    assert ada.daily


def test_a_made_up_unsubscribe_link_is_not_found(client):
    assert client.get("/reports/unsubscribe/made-up/").status_code == 404


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
    report = making.make(Kind.WEEKLY, now=NOW)
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
    report = making.make(Kind.WEEKLY, now=NOW)
    assert isinstance(report, WeeklyReport)
    assert (len(report.activation), len(report.growth)) == (4, 6)
    assert [point.days_ago for point in report.alignment.trend] == [7, 14, 30, 60, 90]
    assert report.funnel.steps[0] == ReportStep(name="Signed up", persons=100, rate=1.0)


@pytest.mark.parametrize("kind", Kind)
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
    (d7,) = [kpi for kpi in making.make(Kind.DAILY, now=NOW).kpis if kpi.kpi == "d7_retention"]
    assert (d7.value, d7.unit, d7.status) == (0.22, "rate", "ok")
    assert d7.interval.low == pytest.approx(0.15, abs=0.01)
    assert d7.interval.high == pytest.approx(0.31, abs=0.01)


def test_a_report_of_demo_data_says_so():
    assert not making.make(Kind.DAILY, now=NOW).has_demo
    Person.objects.create(is_demo=True)
    text, html = reports.rendered(making.make(Kind.DAILY, now=NOW))
    assert "these numbers belong to a made-up company" in text
    assert "these numbers belong to a made-up company" in html


def test_a_stored_report_does_not_change(sends):
    weekly_off()
    sends(MORNING)
    report = Report.objects.get()
    a_filled_project()
    assert reports.of_period(Kind.DAILY, report.day, now=MORNING + MINUTE).content == report.content


def test_the_endpoints_return_the_reports_and_send_them_once(mail_server):
    assert get("operational/daily-report")["kind"] == "daily"
    assert get("operational/weekly-report/")["kind"] == "weekly"
    for _ in range(2):
        (sent,) = post("operational/send-daily-report")["deliveries"]
        assert (sent["recipient"], sent["delivery"]) == ("ada@example.com", "sent")
    post("operational/send-weekly-report/")
    assert len(mail_server.messages) == 2


def test_a_daily_report_takes_at_most_40_queries():
    a_filled_project()
    making.make(Kind.DAILY, now=NOW)
    with CaptureQueriesContext(connection) as queries:
        making.make(Kind.DAILY, now=NOW)
    assert len(queries) <= 40
    assert not [query["sql"] for query in queries if 'analytics_event"' in query["sql"]]


def test_staff_preview_a_report_send_themselves_a_test_and_read_the_archive(
    admin_client, admin_user, mail_server
):
    path = "/admin/operational/reports/"
    assert "No reports sent yet." in admin_client.get(path).content.decode()
    assert (
        "This preview was not sent." in admin_client.get(f"{path}preview/weekly/").content.decode()
    )
    admin_client.post(f"{path}test/daily/")
    assert mail_server.messages[0].recipients == [admin_user.email]
    assert mail_server.subjects == ["Test: Daily report of 2026-03-31: no score yet"]
    html = admin_client.post(f"{path}send/daily/", follow=True).content.decode()
    assert "Sent to 1 of 1 recipient." in html
    report = Report.objects.get()
    assert f'href="{path}{report.pk}/"' in html
    assert "As made on" in admin_client.get(f"{path}{report.pk}/").content.decode()
    assert admin_client.get(f"{path}preview/monthly/").status_code == 404


def test_a_test_is_not_a_delivery_of_the_report(admin_client, admin_user, mail_server):
    admin_client.post("/admin/operational/reports/test/daily/")
    assert Delivery.objects.get().kind == "test"
    assert report_schedule.overdue(now=MORNING + 31 * MINUTE)


def test_a_time_zone_that_does_not_exist_is_refused(admin_client):
    fields = {"email": "ada@example.com", "time_zone": "Europe/Atlantis", "daily": "on"}
    html = admin_client.post("/admin/operational/reportsubscriber/add/", fields).content.decode()
    assert "is not a time zone: use a name such as Europe/Berlin." in html
    assert not ReportSubscriber.objects.exists()


def test_a_mail_server_that_recovers_gets_the_report(sends, mail_server, settings):
    weekly_off()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    sends(MORNING)
    settings.EMAIL_PORT = port
    deliveries.send_due(now=MORNING + 2 * MINUTE)
    assert len(mail_server.messages) == 1
