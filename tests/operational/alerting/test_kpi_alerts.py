"""KPI alerts: readings of complete days become messages, each sent once."""

import threading
from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from analytics.models import Person
from operational.alerting import alerts, kpi_alerts
from operational.kpis import goals, readings
from operational.messages import sending
from operational.models import Alert, AlertChange, AlertChannel, Delivery, KpiReading
from tests.api import get
from tests.clocks import stopped
from tests.operational.kpi_data import AS_OF, NOW, noon, person, signups

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
measure = readings.record_readings


@pytest.fixture(autouse=True)
def now(time_machine, settings):
    time_machine.move_to(NOW, tick=False)
    settings.PLUMBLINE_EMAIL_FROM = "plumbline@example.com"
    settings.ADMIN_EMAIL = ["ada@example.com"]


def recorded(values, *, kpi="churn_rate", status="ok"):
    """Record readings of the days up to `AS_OF`; the check measures the last day itself."""
    measure(days=[AS_OF - i * DAY for i in range(len(values))], now=NOW)
    for ago, value in enumerate(reversed(values)):
        KpiReading.objects.filter(kpi=kpi, day=AS_OF - ago * DAY).update(
            value=value, status=status, denominator=100, low=value - 0.01, high=value + 0.01
        )


@pytest.fixture
def check(monkeypatch):
    """Check with the readings as recorded; how they are measured is tested elsewhere."""
    monkeypatch.setattr(readings, "record_readings", lambda **_: None)
    return lambda now=NOW: kpi_alerts.check(now=now)


def alert(kpi="churn_rate"):
    return Alert.objects.get(subject=kpi)


def subjects():
    return list(Delivery.objects.order_by("pk").values_list("subject", flat=True))


def bad_days(number=3):
    recorded([0.12] * number)


def test_two_breaches_in_three_days_fire_with_all_details(check):
    Person.objects.create()
    bad_days()
    check()
    delivery = Delivery.objects.get()
    assert delivery.subject == "Plumbline: Customer churn, monthly: critical"
    for part in (
        "12.0 % (11.0 – 13.0 %), as of 2026-03-31.",
        "Threshold: warning above 7.0 %, critical above 10.0 %; target 5.0 %.",
        "Since: 2026-04-01 09:00 UTC.",
        "Trend: 12.0 % the day before.",
        "What to do: Keep the customers who are about to leave",
        "http://localhost:8000/admin/operational/kpis/churn_rate/",
    ):
        assert part in delivery.text
    assert "border-left-color: #b3261e" in delivery.html


def test_one_breach_is_pending_and_sends_nothing(check):
    recorded([0.05, 0.05, 0.12])
    check()
    assert alert().status == "pending"
    assert not subjects()


def test_checks_of_the_same_day_notify_once(check):
    bad_days()
    for hours in (0, 6, 12, 14):
        check(NOW + timedelta(hours=hours))
    assert len(subjects()) == 1


@pytest.mark.django_db(transaction=True)
def test_p21_concurrent_workers_notify_once(monkeypatch):
    bad_days()
    monkeypatch.setattr(readings, "record_readings", lambda **_: None)
    ready = threading.Barrier(4)

    def worker():
        ready.wait()
        kpi_alerts.check(now=NOW)
        connection.close()

    workers = [threading.Thread(target=worker) for _ in range(4)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert len(subjects()) == 1
    assert AlertChange.objects.filter(notification="firing").count() == 1


def test_p19_a_day_that_is_not_over_is_not_judged(check):
    recorded([0.05, 0.05, 0.05])
    KpiReading.objects.filter(day=AS_OF - DAY, kpi="churn_rate").update(value=0.5)
    KpiReading.objects.create(
        kpi="churn_rate", day=AS_OF + DAY, status="ok", value=0.5, formula_version=1,
        goal_version=1, recorded_at=NOW, first_recorded_at=NOW,
    )  # fmt: skip
    check()
    assert alert().status == "ok"


def test_p20_a_value_equal_to_its_threshold_is_not_a_warning(check):
    recorded([0.07, 0.07, 0.07])
    check()
    assert alert().status == "ok"


@pytest.mark.parametrize("status", ["no_data", "held", "low_sample"])
def test_a_reading_that_does_not_count_pauses_the_alert(check, status):
    bad_days()
    check()
    KpiReading.objects.filter(day=AS_OF, kpi="churn_rate").update(status=status)
    check()
    assert alert().status == ("held" if status == "held" else "no_data")
    assert alert().firing == "critical"
    assert len(subjects()) == 1


def test_several_alerts_share_one_message(check):
    recorded([0.12] * 3)
    KpiReading.objects.filter(kpi="d7_retention").update(value=0.19, status="ok")
    check()
    assert subjects() == ["Plumbline: Customer churn, monthly: critical and 1 more"]


def test_p17_p18_resolved_is_sent_once_and_only_beyond_the_margin(check):
    bad_days()
    check()
    KpiReading.objects.filter(day=AS_OF, kpi="churn_rate").update(value=0.0699)  # not by the margin
    check()
    assert subjects()[-1] == "Plumbline: Customer churn, monthly: now only warning"
    KpiReading.objects.filter(day=AS_OF, kpi="churn_rate").update(value=0.05)
    check()
    check()
    assert subjects()[1:] == [
        "Plumbline: Customer churn, monthly: now only warning",
        "Plumbline: Customer churn, monthly: resolved",
    ]


def test_an_acknowledged_alert_sends_no_reminders(check):
    bad_days()
    check()
    ada = User.objects.create_user("ada")
    alerts.acknowledge(alert(), by=ada, now=NOW)
    Alert.objects.update(notified_at=NOW - 4 * DAY)
    check()
    assert len(subjects()) == 1
    Alert.objects.update(acknowledged=False)
    check()
    assert subjects()[-1] == "Plumbline: Customer churn, monthly: still critical"


def test_a_silenced_alert_notifies_when_the_silence_ends(check):
    bad_days()
    quiet = Alert.objects.create(kind="kpi", subject="churn_rate")
    ada = User.objects.create_user("ada")
    until = NOW + timedelta(hours=2)
    alerts.silence(quiet, until=until, reason="we know", by=ada, now=NOW)
    check()
    assert not subjects()
    check(until)
    assert len(subjects()) == 1


def test_channels_get_it_too(check, web_hook):
    AlertChannel.objects.create(name="hook", url=f"json://{web_hook.address}/")
    bad_days()
    check()
    sending.send_due(clock=stopped(NOW))
    (posted,) = web_hook.posted
    assert posted["title"] == "Plumbline: Customer churn, monthly: critical"
    assert "12.0 %" in posted["message"]


def test_the_segment_that_loses_most_is_named(check):
    day = AS_OF - 20 * DAY
    for number in range(120):
        on_mobile = number % 3 == 0
        back = () if on_mobile else ((7,) if number % 4 else ())
        added = person(noon(day), active_days=(0, *back))
        added.properties = {"$os": "iOS" if on_mobile else "Windows"}
        added.save()
    signups(day, 120, activated=0, retained={7: 60})
    recorded([0.10] * 3, kpi="d7_retention")
    check()
    assert (
        "Most affected: operating system iOS: 100 % of 40, 50 % overall"
        in Delivery.objects.get().text
    )


def test_the_api_lists_every_alert_the_worst_first(check):
    bad_days()
    check()
    body = get("operational/kpi-alerts")
    assert body["firing"] == 1
    assert len(body["alerts"]) == 8
    first = body["alerts"][0]
    assert (first["kpi"], first["alert_state"], first["severity"]) == (
        *("churn_rate", "critical", "critical"),
    )
    assert first["goal"]["critical"] == 0.10


def test_before_the_first_check_the_api_says_so():
    assert get("operational/kpi-alerts") == {"checked_at": None, "firing": 0, "alerts": []}


def test_the_backtest_says_how_often_and_how_long_a_threshold_would_have_fired():
    recorded([0.05] * 5 + [0.12] * 4 + [0.05] * 5 + [0.12] * 3)
    goal = goals.in_force()["churn_rate"]
    result = kpi_alerts.backtest(goal=goal, as_of=AS_OF)
    assert (result.fired, result.firing, result.readings) == (2, 5, 17)


def test_a_check_measures_the_last_complete_day_itself():
    kpi_alerts.check(now=NOW)
    assert KpiReading.objects.filter(day=AS_OF).count() == 8
    assert not KpiReading.objects.filter(day__gt=date(2026, 3, 31)).exists()
    assert alert().checked_at == datetime(2026, 4, 1, 9, tzinfo=NOW.tzinfo)


def test_o04_an_alert_resolved_by_a_clock_that_was_ahead_fires_again(check):
    bad_days()
    check()
    Alert.objects.update(
        status="ok",
        firing="ok",
        notified_severity="ok",
        cleared=(AS_OF + 300 * DAY).toordinal(),
    )
    check()
    assert alert().firing == "critical"
    assert len(subjects()) == 2
