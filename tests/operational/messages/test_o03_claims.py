"""O03: a message is claimed by the clock at the claim, renewed while sending, alerts first."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from common import claims
from operational.messages import deliveries, sending
from operational.messages.deliveries import Message
from operational.models import Delivery, DeliveryKind
from tests.clocks import Clock, stopped
from tests.processes import fork, wait, wait_until

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
REPORT, ALERT, TEST = DeliveryKind.DAILY_REPORT, DeliveryKind.ALERT, DeliveryKind.TEST


def post(kind, key, now=NOW, to=("ada@example.com",), **options):
    deliveries.post(kind, key, Message(key, "Text"), to=to, now=now, **options)


@pytest.mark.django_db
def test_o03_the_clock_is_read_at_each_claim(mail_server):
    clock = Clock(NOW)
    mail_server.before = lambda _: clock.step(seconds=14)
    for number in range(10):
        post(REPORT, f"report {number}")
    due_at = []
    mail_server.after = lambda _: due_at.append(clock())
    sending.send_due(clock=clock)
    sent_at = Delivery.objects.order_by("sent_at").values_list("sent_at", flat=True)
    assert list(sent_at) == due_at == [NOW + timedelta(seconds=14 * n) for n in range(1, 11)]


@pytest.mark.django_db(transaction=True)
def test_o03_a_claim_is_renewed_while_its_message_is_being_sent(mail_server, monkeypatch):
    monkeypatch.setattr(claims, "RENEWED_EVERY", timedelta(milliseconds=10))
    clock = Clock(NOW)
    later = NOW + timedelta(hours=1)

    def take_an_hour(_message):
        clock.step(hours=1)
        wait_until(Delivery.objects.filter(due_at__gt=later).exists)
        connection.close()

    mail_server.before = take_an_hour
    post(ALERT, "alert")
    assert sending.send_due(clock=clock) == 1
    assert len(mail_server.messages) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("days", [365, -365])
def test_o03_another_sender_with_a_wrong_clock_does_not_send_what_is_being_sent(mail_server, days):
    def another_sender(_message):
        mail_server.before = lambda _: None
        wrong = NOW + timedelta(days=days)
        assert wait(fork(lambda: sending.send_due(clock=stopped(wrong)))) == 0

    post(ALERT, "alert", expires_at=NOW + timedelta(days=999))
    mail_server.before = another_sender
    sending.send_due(clock=stopped(NOW))
    assert len(mail_server.messages) == 1


@pytest.mark.django_db
def test_o03_a_message_whose_lock_is_held_waits_and_the_next_one_goes_out(mail_server):
    post(ALERT, "first")
    post(ALERT, "second")
    first = Delivery.objects.get(key__startswith="first")
    with closing(connection.get_new_connection(connection.get_connection_params())) as other:
        other.execute("SELECT pg_advisory_lock(hashtext(%s))", [f"delivery {first.pk}"])
        assert sending.send_due(clock=stopped(NOW)) == 1
    wait_until(lambda: sending.send_due(clock=stopped(NOW)))
    assert mail_server.subjects == ["second", "first"]


@pytest.mark.django_db
def test_o03_alerts_go_out_before_tests_and_reports(mail_server):
    for kind in (REPORT, TEST, ALERT):
        post(kind, kind.value)
    sending.send_due(clock=stopped(NOW))
    assert mail_server.subjects == ["alert", "test", "daily report"]


@pytest.mark.django_db(transaction=True)
def test_o03_an_alert_posted_while_reports_are_sent_is_the_next_message(mail_server):
    clock = Clock(NOW)

    def slow(_message):
        clock.step(seconds=14)
        if len(mail_server.messages) == 3:
            post(ALERT, "alert", now=clock())
            connection.close()

    mail_server.before = slow
    for number in range(12):
        post(REPORT, f"report {number}")
    sending.send_due(clock=clock)
    assert mail_server.subjects.index("alert") == 4


@pytest.mark.django_db
def test_o03_a_new_alert_is_not_kept_waiting_by_those_that_failed(mail_server):
    post(ALERT, "failed")
    mail_server.refusal = "451 later"
    sending.send_due(clock=stopped(NOW))
    mail_server.refusal = ""
    later = NOW + timedelta(minutes=5)
    post(ALERT, "new", now=later)
    sending.send_due(clock=stopped(later))
    assert mail_server.subjects == ["new", "failed"]


@pytest.mark.django_db
def test_o03_a_long_run_ends_and_leaves_the_rest_to_the_next_one(mail_server, monkeypatch):
    monkeypatch.setattr(sending, "LONGEST_RUN", -1)
    requested = []
    monkeypatch.setattr(deliveries, "send_soon", lambda: requested.append(1))
    post(ALERT, "alert")
    assert sending.send_due(clock=stopped(NOW)) == 0
    assert requested == [1]


@pytest.mark.django_db
def test_o03_what_a_clock_that_was_ahead_put_off_is_due_now(mail_server):
    ahead = NOW + timedelta(days=365)
    mail_server.refusal = "451 later"
    post(ALERT, "alert", now=ahead)
    sending.send_due(clock=stopped(ahead))
    mail_server.refusal = ""
    assert sending.send_due(clock=stopped(NOW)) == 1


@pytest.mark.django_db
def test_o03_what_a_clock_that_was_ahead_gave_up_is_sent_once_it_is_right(mail_server):
    post(ALERT, "alert")
    sending.send_due(clock=stopped(NOW + timedelta(days=365)))
    assert Delivery.objects.get().status == "expired"
    assert sending.send_due(clock=stopped(NOW)) == 1


@pytest.fixture
def no_mail_server(settings, mail_server):
    """Anything sent within a request fails the test."""
    mail_server.before = lambda _: pytest.fail("sent within a request")
    return mail_server


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "reports/send/daily/",
        "reports/send/weekly/",
        "reports/test/daily/",
        "alerts/test/",
        "alerts/check/",
    ],
)
def test_o03_no_page_sends_within_its_request(admin_client, no_mail_server, path):
    post(ALERT, "waiting", now=datetime.now(UTC))
    response = admin_client.post(f"/admin/operational/{path}", {"email": "ada@example.com"})
    assert response.status_code == 302
    assert no_mail_server.messages == []
    assert set(Delivery.objects.values_list("status", flat=True)) == {"waiting"}
