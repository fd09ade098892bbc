"""Reports are sent once, on their pages, by the API and by schedule."""

import threading

import pytest
from django.db import connection

from operational.health.system_health import system_health
from operational.messages import sending
from operational.models import Delivery, Report, ReportKind, ReportSubscriber
from operational.reports import making, report_schedule, reports
from tests.api import get, post
from tests.clocks import stopped
from tests.operational.reports.schedules import MINUTE, MORNING, subscriber, weekly_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


@pytest.mark.django_db(transaction=True)
def test_p21_p26_workers_at_once_send_one_report(mail_server, time_machine):
    weekly_off()
    ready = threading.Barrier(4)

    def worker():
        ready.wait()
        reports.send_due(now=MORNING)
        sending.send_due(clock=stopped(MORNING))
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


def test_the_endpoints_return_the_reports_and_send_them_once(mail_server):
    assert get("operational/daily-report")["kind"] == "daily"
    assert get("operational/weekly-report/")["kind"] == "weekly"
    for outcome in ("waiting", "sent"):
        (delivery,) = post("operational/send-daily-report")["deliveries"]
        assert (delivery["recipient"], delivery["delivery"]) == ("ada@example.com", outcome)
        sending.send_due()
    post("operational/send-weekly-report/")
    sending.send_due()
    assert len(mail_server.messages) == 2


def test_staff_preview_a_report_send_themselves_a_test_and_read_the_archive(
    admin_client, admin_user, mail_server
):
    path = "/admin/operational/reports/"
    assert "No reports sent yet." in admin_client.get(path).content.decode()
    assert (
        "This preview was not sent." in admin_client.get(f"{path}preview/weekly/").content.decode()
    )
    admin_client.post(f"{path}test/daily/")
    sending.send_due()
    assert mail_server.messages[0].recipients == [admin_user.email]
    assert mail_server.subjects == ["Test: Daily report of 2026-03-31: no score yet"]
    html = admin_client.post(f"{path}send/daily/", follow=True).content.decode()
    assert "Queued for 1 of 1 recipient." in html
    sending.send_due()
    assert len(mail_server.messages) == 2
    html = admin_client.post(f"{path}send/daily/", follow=True).content.decode()
    assert "Everyone has it already." in html
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
    sending.send_due(clock=stopped(MORNING + 2 * MINUTE))
    assert len(mail_server.messages) == 1


def test_o02_a_report_that_cannot_be_made_stops_no_other(sends, mail_server, monkeypatch):
    make = making.make

    def fails_weekly(kind, **options):
        return make(kind, **options) if kind == ReportKind.DAILY else 1 / 0

    monkeypatch.setattr(making, "make", fails_weekly)
    subscriber()
    with pytest.raises(ZeroDivisionError):
        sends(MORNING)
    sending.send_due(clock=stopped(MORNING))
    assert mail_server.subjects == ["Daily report of 2026-03-31: no score yet"]
