"""Reports are due once, in each recipient's own morning."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from operational.models import Report
from tests.operational.reports.schedules import DAY, MINUTE, MORNING, begin, subscriber, weekly_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


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
