"""O02: what a backend, server or channel does is noted on its message, and the next goes out."""

import smtplib
import socket
import threading
from datetime import UTC, datetime

import pytest
from django.core.mail.backends.locmem import EmailBackend

from common import smtp
from operational.messages import channels, deliveries, sending
from operational.messages.deliveries import Message
from operational.models import AlertChannel, Delivery, DeliveryKind
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outages
from tests.clocks import stopped

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


class Odd(EmailBackend):
    """A backend that raises what it likes for some, and sends nothing for others."""

    def send_messages(self, messages):
        (to,) = messages[0].to
        if to.startswith("bad"):
            raise RuntimeError("Out of order")
        return 0 if to.startswith("void") else super().send_messages(messages)


@pytest.fixture
def odd_backend(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Odd"
    settings.PLUMBLINE_EMAIL_FROM = "plumbline@example.com"


def outcomes(*to):
    deliveries.post(DeliveryKind.ALERT, "message", Message("Subject", "Text"), to=to, now=NOW)
    sending.send_due(clock=stopped(NOW))
    return list(Delivery.objects.order_by("pk").values_list("status", "problem"))


@pytest.mark.django_db
@pytest.mark.usefixtures("odd_backend")
def test_o02_what_a_backend_raises_is_noted_and_the_next_message_goes_out(mailoutbox):
    results = outcomes("bad@x.example", "good@x.example")
    assert results == [("waiting", "RuntimeError: Out of order"), ("sent", "")]


@pytest.mark.django_db
@pytest.mark.usefixtures("odd_backend")
def test_o02_what_a_backend_does_not_send_is_not_recorded_as_sent():
    (result,) = outcomes("void@x.example")
    assert result == ("waiting", "The e-mail backend did not send the message.")


@pytest.mark.django_db
def test_o02_what_a_channel_raises_is_noted_and_the_next_message_goes_out(monkeypatch, mail_server):
    monkeypatch.setattr(channels, "service", lambda url: 1 / 0)
    channel = AlertChannel.objects.create(name="hook", url="json://127.0.0.1/")
    first, second = outcomes(channel, "ada@example.com")
    assert (first, second[0]) == (("waiting", "ZeroDivisionError: division by zero"), "sent")


@pytest.mark.django_db
def test_o02_a_recipient_that_the_server_refuses_costs_no_one_else_their_message(mail_server):
    mail_server.refused["eve@x.example"] = "550 no such user"
    first, second = outcomes("eve@x.example", "ada@example.com")
    assert ("no such user" in first[1], second[0]) == (True, "sent")


@pytest.mark.django_db
def test_o02_the_watchdog_notifies_every_address_once_whatever_is_refused(
    settings, monkeypatch, mail_server
):
    settings.ADMIN_EMAIL = ["eve@x.example", "ada@example.com"]
    mail_server.refused["eve@x.example"] = "450 later"
    outage = Outages().database
    for _ in range(3):
        outage.observe(NOW, "OperationalError")
        outage.send()
    mail_server.refused.clear()
    outage.send()
    received = [message.recipients for message in mail_server.messages]
    assert received == [["ada@example.com"], ["eve@x.example"]]


def test_o02_the_watchdog_survives_whatever_a_backend_raises(odd_backend, mailoutbox):
    assert watchdog._was_sent("bad@x.example", "Subject", "Text") is False
    assert watchdog._was_sent("ada@x.example", "Subject", "Text") is True


@pytest.fixture
def dripping(settings, mail_server):
    """A mail server that keeps sending its greeting as long as the client listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings.EMAIL_PORT = listener.getsockname()[1]
    done = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection:
            while not done.wait(0.02):
                try:
                    connection.sendall(b"220-wait\r\n")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield
    done.set()
    thread.join()
    listener.close()


@pytest.mark.django_db
@pytest.mark.usefixtures("dripping")
def test_o02_a_server_that_drips_its_reply_is_given_up_after_the_deadline(monkeypatch):
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    (result,) = outcomes("ada@example.com")
    assert result[0] == "waiting"
    assert "SMTPServerDisconnected" in result[1]


@pytest.mark.django_db
def test_o02_a_message_that_was_accepted_is_sent_however_the_connection_ends(
    monkeypatch, mail_server
):
    def stumble(_connection):
        raise smtplib.SMTPResponseException(500, "Line too long.")

    monkeypatch.setattr(smtp._Connection, "quit", stumble)
    assert outcomes("ada@example.com") == [("sent", "")]
