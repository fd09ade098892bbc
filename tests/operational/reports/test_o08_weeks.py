"""O08: a weekly report covers an ISO week of the company, once, wherever it goes and when."""

from datetime import UTC, date, datetime

import pytest
from django_celery_beat.models import PeriodicTask

from operational.messages import sending
from operational.models import Delivery, Report, ReportKind
from operational.reports import making, report_schedule, reports
from tests.clocks import stopped
from tests.operational.reports.schedules import DAY, MINUTE, subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]

MONDAY = datetime(2026, 3, 30, tzinfo=UTC)
WEEKLY = ReportKind.WEEKLY


@pytest.fixture(autouse=True)
def daily_off(installed):
    PeriodicTask.objects.filter(name="daily-report").update(enabled=False)


def test_o08_sydney_gets_the_week_of_a_company_in_utc_once_it_is_over(sends):
    subscriber(zone="Australia/Sydney")
    assert sends(MONDAY - MINUTE) == []  # 10:59 on Monday in Sydney
    assert sends(MONDAY) == ["Weekly report of 2026-03-29: no score yet"]
    assert len(sends(MONDAY + 6 * DAY)) == 1


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago"])
def test_o08_everyone_gets_the_same_week_on_one_day(sends, zone):
    subscriber(zone=zone, created_at=MONDAY)
    for hours in range(36):
        sends(MONDAY + hours * 60 * MINUTE)
    assert list(Report.objects.values_list("day", flat=True)) == [date(2026, 3, 29)]
    assert Delivery.objects.count() == 1


def test_o08_honolulu_gets_the_week_on_its_own_monday_morning(mail_server):
    subscriber(zone="Pacific/Honolulu")
    recipient, schedule = report_schedule.recipients(WEEKLY)[0], "weekly-report"
    task = PeriodicTask.objects.get(name=schedule)
    due = report_schedule._due(task, WEEKLY, recipient, MONDAY + DAY)
    assert (due.day, due.since) == (date(2026, 3, 29), MONDAY + 19 * 60 * MINUTE)


def test_o08_sending_on_a_thursday_makes_no_second_weekly_report(sends):
    subscriber()
    sends(MONDAY + 9 * 60 * MINUTE)
    thursday = MONDAY + 3 * DAY
    (delivery,) = reports.send_now(WEEKLY, now=thursday)
    assert (delivery.status, sending.send_due(clock=stopped(thursday))) == ("sent", 0)


@pytest.mark.parametrize("day", range(7))
def test_o08_a_preview_on_any_day_covers_the_last_complete_week(day):
    report = making.make(WEEKLY, now=MONDAY + day * DAY)
    assert (report.period_from, report.day) == (date(2026, 3, 23), date(2026, 3, 29))
