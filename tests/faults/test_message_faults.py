"""Senders, checkers and the mail server are stopped: no message is lost, none is duplicated."""

import os
import random
import threading
import time
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from common import claims
from operational.alerting import kpi_alerts
from operational.health.system_health import system_health
from operational.kpis import readings
from operational.messages import deliveries, sending
from operational.messages.deliveries import Message
from operational.models import AlertChange, Delivery, DeliveryKind, KpiReading
from tests.clocks import stopped
from tests.mail_server import listening, use
from tests.operational.kpi_data import AS_OF, NOW
from tests.processes import fork, kill

MINUTE = timedelta(minutes=1)


def part(name, now):
    return next(part for part in system_health(now).components if part.name == name)


def message_ids(server):
    return Counter(message["Message-ID"] for message in server.messages)


@pytest.mark.django_db(transaction=True)
def test_p25_killed_senders_lose_nothing_and_resend_only_what_they_could_not_record(
    mail_server,
):
    for number in range(60):
        deliveries.post(
            DeliveryKind.ALERT,
            f"message {number}",
            Message(f"Message {number}", "Text"),
            to=["ada@example.com"],
            now=NOW,
        )
    chance, kills, now = random.Random(7), 0, NOW
    while Delivery.objects.filter(due_at__isnull=False).exists():
        pid = fork(partial(sending.send_due, clock=stopped(now)))
        time.sleep(chance.uniform(0.0, 0.25))
        kill(pid)
        kills += 1
        now += claims.LASTS  # until then a claim is respected
        assert now < NOW + deliveries.USEFUL
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    received = message_ids(mail_server)
    assert len(received) == 60
    assert received.total() - 60 <= kills  # at most the message that each was sending


@pytest.mark.django_db(transaction=True)
def test_p25_a_check_killed_at_any_moment_notifies_of_a_change_once(mail_server, monkeypatch):
    readings.record_readings(
        days=[AS_OF - number * timedelta(days=1) for number in range(3)], now=NOW
    )
    KpiReading.objects.filter(kpi="churn_rate").update(value=0.12, status="ok")
    monkeypatch.setattr(readings, "record_readings", lambda **_: None)
    chance = random.Random(11)
    for number in range(12):
        pid = fork(lambda: kpi_alerts.check(now=NOW))
        time.sleep(chance.uniform(0.0, 0.06) * (1 + number / 4))
        kill(pid)
    kpi_alerts.check(now=NOW)
    sending.send_due(clock=stopped(NOW))
    assert mail_server.subjects == ["Plumbline: Customer churn, monthly: critical"]
    assert AlertChange.objects.filter(notification="firing").count() == 1


@pytest.mark.django_db
def test_a_restarted_mail_server_receives_every_message_once(settings):
    with listening() as server:
        port = server.port  # free again once the server is stopped
    use(settings, server)
    for number in range(5):
        message = Message(f"Message {number}", "Text")
        to = ["ada@example.com"]
        deliveries.post(DeliveryKind.ALERT, f"message {number}", message, to=to, now=NOW)
    sending.send_due(clock=stopped(NOW))
    down = part("mail", NOW)
    assert (down.health, down.since) == ("warning", NOW)
    with listening(port) as server:
        sending.send_due(clock=stopped(NOW + 2 * MINUTE))
        sending.send_due(clock=stopped(NOW + 4 * MINUTE))
        assert sorted(server.subjects) == [f"Message {number}" for number in range(5)]
    assert part("mail", NOW + 4 * MINUTE).health == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_while_a_message_is_recorded_does_not_duplicate_it(mail_server):
    """The sender keeps trying to record that the message was sent."""
    deliveries.post(
        DeliveryKind.ALERT,
        "message",
        Message("Title", "Text"),
        to=["ada@example.com"],
        now=NOW,
    )
    sent = threading.Event()
    original = sending._by_email

    def cut_after_sending(delivery):
        original(delivery)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        pid = fork(lambda: _terminate(backend))
        os.waitpid(pid, 0)
        sent.set()

    sending._by_email = cut_after_sending
    try:
        sending.send_due(clock=stopped(NOW))
    finally:
        sending._by_email = original
    assert sent.is_set()
    assert Delivery.objects.get().status == "sent"
    sending.send_due(clock=stopped(NOW + claims.LASTS))
    assert len(mail_server.messages) == 1


def _terminate(backend):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
