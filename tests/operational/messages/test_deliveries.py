"""Messages are stored first: each is sent once, whatever fails, and failures are recorded."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.core import mail
from django.db import connection

from common import claims
from operational.messages import deliveries, sending
from operational.messages.deliveries import Message
from operational.models import AlertChannel, Delivery, DeliveryKind
from tests.clocks import stopped

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KIND = DeliveryKind.ALERT


def post(key="message", to=("ada@example.com",), **options):
    options = {"now": NOW} | options
    deliveries.post(KIND, key, Message("Subject", "Text\n", "<p>HTML</p>"), to=to, **options)


def statuses():
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


@pytest.mark.django_db
def test_a_message_arrives_with_text_and_html_and_is_recorded_as_sent(mail_server):
    post()
    assert sending.send_due(clock=stopped(NOW)) == 1
    (message,) = mail_server.messages
    assert message.recipients == ["ada@example.com"]
    assert mail_server.text() == "Text\n"
    assert "<p>HTML</p>" in mail_server.html()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.sent_at, delivery.attempts) == ("sent", NOW, 1)


@pytest.mark.django_db
def test_the_same_message_posted_again_is_sent_once(mail_server):
    post()
    post(now=NOW + MINUTE)
    sending.send_due(clock=stopped(NOW + MINUTE))
    sending.send_due(clock=stopped(NOW + 2 * MINUTE))
    assert len(mail_server.messages) == 1


@pytest.mark.django_db
def test_one_recipient_that_fails_does_not_hold_up_the_others(settings, mail_server):
    channel = AlertChannel.objects.create(name="unreachable", url="json://127.0.0.1:1/")
    post(to=[channel, "ada@example.com"])
    sending.send_due(clock=stopped(NOW))
    assert statuses() == ["waiting", "sent"]


@pytest.mark.django_db
def test_p23_a_failed_delivery_is_not_recorded_as_sent_and_has_the_reason(mail_server):
    mail_server.refusal = "554 no thanks"
    post()
    assert sending.send_due(clock=stopped(NOW)) == 0
    delivery = Delivery.objects.get()
    assert delivery.status == "waiting"
    assert "no thanks" in delivery.problem
    assert delivery.due_at
    assert delivery.due_at > NOW


@pytest.mark.django_db
def test_a_mail_server_that_comes_back_gets_the_message_once(settings, mail_server):
    settings.EMAIL_PORT = 1  # no server listens there
    post()
    sending.send_due(clock=stopped(NOW))
    settings.EMAIL_PORT = mail_server.port
    sending.send_due(clock=stopped(NOW + MINUTE / 2))  # too early
    assert not mail_server.messages
    for minutes in (3, 4, 5):
        sending.send_due(clock=stopped(NOW + minutes * MINUTE))
    assert len(mail_server.messages) == 1


@pytest.mark.django_db
def test_a_message_that_could_not_be_sent_in_time_fails(mail_server):
    mail_server.refusal = "554 no thanks"
    post()
    sending.send_due(clock=stopped(NOW))
    mail_server.refusal = ""
    sending.send_due(clock=stopped(NOW + deliveries.USEFUL + 2 * MINUTE))
    assert statuses() == ["failed"]
    assert not mail_server.messages


@pytest.mark.django_db
def test_p24_a_late_start_does_not_send_outdated_messages(mail_server):
    post(expires_at=NOW + MINUTE)
    sending.send_due(clock=stopped(NOW + 2 * MINUTE))
    assert statuses() == ["expired"]
    assert not mail_server.messages


@pytest.mark.django_db
def test_p25_a_message_whose_sender_died_goes_out_again_as_the_same_message(mail_server):
    post()
    sending.send_due(clock=stopped(NOW))
    # As if the process had been killed before it recorded that the server took the message.
    Delivery.objects.update(status="sending", due_at=NOW + claims.LASTS, sent_at=None)
    sending.send_due(clock=stopped(NOW + claims.LASTS - timedelta(seconds=1)))
    assert len(mail_server.messages) == 1
    sending.send_due(clock=stopped(NOW + claims.LASTS))
    first, second = mail_server.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert statuses() == ["sent"]


@pytest.mark.django_db
def test_s13_a_message_id_does_not_derive_from_what_is_public(mail_server):
    post()
    sending.send_due(clock=stopped(NOW))
    (message,) = mail_server.messages
    assert str(uuid5(NAMESPACE_URL, Delivery.objects.get().key)) not in message["Message-ID"]


@pytest.mark.django_db(transaction=True)
def test_p21_p26_two_senders_at_once_send_a_message_once(mail_server):
    for number in range(20):
        post(f"message {number}")
    ready = threading.Barrier(4)

    def sender():
        ready.wait()
        sending.send_due(clock=stopped(NOW))
        connection.close()

    senders = [threading.Thread(target=sender) for _ in range(4)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    assert len(mail_server.messages) == 20
    assert statuses() == ["sent"] * 20


@pytest.mark.django_db
def test_a_channel_gets_the_text_over_http(web_hook):
    url = f"json://{web_hook.address}/hook"
    channel = AlertChannel.objects.create(name="hook", url=url)
    deliveries.post_test(channel, now=NOW)
    sending.send_due(clock=stopped(NOW))
    assert web_hook.posted[0]["title"] == "Plumbline: test message"
    assert Delivery.objects.get().status == "sent"


@pytest.mark.django_db
def test_a_test_message_that_fails_has_the_reason_and_logs_no_address(capfd):
    channel = AlertChannel.objects.create(name="unreachable", url="json://127.0.0.1:1/secret")
    deliveries.post_test(channel, now=NOW)
    sending.send_due(clock=stopped(NOW))
    delivery = Delivery.objects.get()
    assert (delivery.status, bool(delivery.problem)) == ("waiting", True)
    assert "127.0.0.1" not in capfd.readouterr().err


@pytest.mark.django_db
def test_without_a_sender_address_only_channels_are_notified(settings):
    settings.PLUMBLINE_EMAIL_FROM, settings.ADMIN_EMAIL = "", ["ada@example.com"]
    channel = AlertChannel.objects.create(name="hook", url="json://127.0.0.1:1/")
    AlertChannel.objects.create(name="off", url="json://127.0.0.1:1/", enabled=False)
    assert deliveries.alert_recipients() == [channel]


@pytest.mark.django_db
def test_a_subject_of_several_lines_is_sent_as_one(settings):
    settings.PLUMBLINE_EMAIL_FROM = "plumbline@example.com"
    message = Message("One\nBcc: eve@example.com", "Text")
    deliveries.post(KIND, "message", message, to=["ada@example.com"], now=NOW)
    sending.send_due(clock=stopped(NOW))
    assert mail.outbox[0].subject == "One Bcc: eve@example.com"


@pytest.mark.django_db
def test_old_deliveries_are_deleted_and_waiting_ones_kept(mail_server):
    post("sent")
    sending.send_due(clock=stopped(NOW))
    post("waiting")
    deliveries.delete_old(NOW + deliveries.KEPT + MINUTE)
    assert statuses() == ["waiting"]


@pytest.mark.django_db
def test_an_anymail_provider_is_called_through_its_api(settings, web_hook):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": f"http://{web_hook.address}/",
    }
    settings.PLUMBLINE_EMAIL_FROM = "plumbline@example.com"
    web_hook.answer = {"ErrorCode": 10, "Message": "Bad token"}
    web_hook.status = 401
    post()
    sending.send_due(clock=stopped(NOW))
    assert "Bad token" in Delivery.objects.get().problem
    web_hook.answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "ada@example.com"}
    web_hook.status = 200
    sending.send_due(clock=stopped(NOW + MINUTE))
    assert statuses() == ["sent"]
    assert web_hook.posted[-1]["Subject"] == "Subject"
