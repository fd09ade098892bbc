"""O07, O10, O16: who gets a report, and who still has to."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from operational.messages import deliveries, sending
from operational.models import Delivery, ReportKind, ReportSubscriber
from operational.reports import report_schedule, reports
from tests.api import staff_client
from tests.clocks import stopped
from tests.operational.reports.schedules import DAY, MINUTE, MORNING, subscriber, weekly_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]
DAILY, WEEKLY = ReportKind.DAILY, ReportKind.WEEKLY


def unsubscribe(client, message):
    path = message["List-Unsubscribe"].strip("<> \r\n").removeprefix("http://localhost:8000")
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200


def addresses(kind=DAILY):
    return [recipient.email for recipient in report_schedule.recipients(kind)]


def test_o07_an_admin_address_that_unsubscribed_gets_no_report_but_alerts(
    sends, mail_server, client
):
    weekly_off()
    subscriber("ada@example.com")
    sends(MORNING)
    unsubscribe(client, mail_server.messages[0])
    assert len(sends(MORNING + DAY)) == 1
    assert deliveries.alert_recipients() == ["ada@example.com"]


def test_o07_an_admin_address_without_a_subscription_can_unsubscribe(sends, mail_server, client):
    sends(MORNING)
    daily = next(m for m in mail_server.messages if m["Subject"].startswith("Daily"))
    unsubscribe(client, daily)
    assert (addresses(DAILY), addresses(WEEKLY)) == ([], ["ada@example.com"])


def test_o07_the_other_admin_addresses_keep_their_reports(settings, sends, mail_server, client):
    settings.ADMIN_EMAIL = ["ada@example.com", "bob@example.com"]
    weekly_off()
    sends(MORNING)
    unsubscribe(client, mail_server.messages[0])
    assert (addresses(DAILY), addresses(WEEKLY)) == (
        ["bob@example.com"],
        ["ada@example.com", "bob@example.com"],
    )


def test_o07_an_admin_address_in_other_case_is_the_one_that_unsubscribed(mail_server):
    subscriber("Ada@Example.com", daily=False, weekly=False)
    assert addresses() == []


def test_o16_a_subscriber_in_other_case_than_an_admin_address_gets_one_mail(sends, mail_server):
    weekly_off()
    subscriber("ADA@example.com")
    assert len(sends(MORNING)) == 1


def test_o16_two_subscribers_whose_addresses_differ_in_case_are_refused(admin_client):
    subscriber("a@x.example")
    fields = {"email": "A@x.example", "time_zone": "UTC", "daily": "on"}
    html = admin_client.post("/admin/operational/reportsubscriber/add/", fields).content.decode()
    assert "This address is subscribed already." in html
    with pytest.raises(IntegrityError), transaction.atomic():
        subscriber("A@x.example")


def test_o16_a_message_posted_to_an_address_in_other_case_is_the_same(mail_server):
    for email in ("a@x.example", "A@x.example"):
        deliveries.post("alert", "key", deliveries.Message("S", "T"), to=[email], now=MORNING)
    assert Delivery.objects.count() == 1


def test_o16_a_time_zone_that_no_longer_exists_stops_no_report(sends, mail_server):
    weekly_off()
    subscriber("ada@example.com")
    subscriber("bob@x.example", "Europe/Atlantis")
    sends(MORNING)
    assert len(mail_server.messages) == 2


@pytest.mark.parametrize("status", ["failed", "expired", "waiting"])
def test_o10_sending_again_makes_what_was_not_sent_due_at_once(mail_server, sends, status):
    weekly_off()
    mail_server.refusal = "554 no thanks"
    sends(MORNING)
    hour = timedelta(hours=1)
    due_at = MORNING + hour if status == "waiting" else None
    Delivery.objects.update(status=status, due_at=due_at, expires_at=MORNING + hour)
    mail_server.refusal = ""
    now = MORNING + 50 * MINUTE
    (delivery,) = reports.send_now(DAILY, now=now)
    assert (delivery.status, delivery.due_at) == ("waiting", now)
    assert sending.send_due(clock=stopped(now)) == 1


def test_o10_sending_again_sends_nothing_to_those_who_have_it(mail_server, sends):
    weekly_off()
    sends(MORNING)
    for _ in range(2):
        reports.send_now(DAILY, now=MORNING + MINUTE)
        assert sending.send_due(clock=stopped(MORNING + MINUTE)) == 0


def test_sending_a_report_that_has_no_recipients_is_a_conflict(settings, admin_client):
    settings.PLUMBLINE_EMAIL_FROM = ""
    response = staff_client().post("/api/operational/send-daily-report")
    assert (response.status_code, "has no recipients" in response.json()["detail"]) == (409, True)
    path = "/admin/operational/reports/send/daily/"
    html = admin_client.post(path, follow=True).content.decode()
    assert "has no recipients" in html


def test_o16_the_migration_merges_subscribers_whose_addresses_differ_in_case():
    merge = import_module("operational.migrations.0004_one_subscriber_per_address").MERGE
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_subscriber_per_address")
        subscriber("a@x.example", weekly=False)
        subscriber("A@x.example", daily=False)
        subscriber("b@x.example")
        cursor.execute(merge)
    rows = ReportSubscriber.objects.order_by("pk").values_list("email", "daily", "weekly")
    assert list(rows) == [("a@x.example", False, False), ("b@x.example", True, True)]


def test_s03_a_lookalike_address_is_another_subscriber():
    own = ReportSubscriber.objects.create(email="kim@x.example")
    other = ReportSubscriber.objects.create(email="\u212aim@x.example")
    reports.set_subscribed(other, ReportKind.DAILY, wanted=False)
    rows = ReportSubscriber.objects.filter(daily=True)
    assert list(rows) == [own]
