"""The e-mails about usage limits."""

import smtplib

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend

from analytics.models import Event, Person
from billing.limits import usage_emails, usage_notices
from billing.models import Plan, UsageNotice
from tests.billing.limited_usage import NOW, ada, identify, limit, notify, price, ran

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sender")]

Email = UsageNotice.Email


def warning_events():
    return Event.objects.filter(event="usage_limit_warning").count()


def test_the_e_mail_has_the_same_text_in_html_and_the_upgrade_link(paying):
    limit(10)
    price("price_pro")
    identify()
    ran(8)
    notify()
    [message] = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    assert (message.to, message.from_email) == (["ada@example.com"], "hello@plumbline.example")
    html, kind = message.alternatives[0]
    for text in (str(message.body), str(html)):
        assert "8 of 10 workflow runs used. Resets on 1 June 2024." in text
        assert f"https://checkout.example/price_pro/{ada()}" in text
        assert "Upgrade to Pro" in text
    assert kind == "text/html"


@pytest.mark.parametrize(
    "email", [None, "", "no-address", 7, ["a@b.example"], "a@b.example\nBcc: x@y.z"]
)
def test_without_an_address_there_is_no_e_mail(email):
    limit(10)
    identify(email)
    ran(8)
    notify()
    assert (len(mail.outbox), UsageNotice.objects.get().email) == (0, Email.NO_ADDRESS)
    assert warning_events() == 1


def test_without_a_sender_there_is_no_e_mail(settings):
    settings.PLUMBLINE_EMAIL_FROM = ""
    limit(10)
    identify()
    ran(8)
    notify()
    assert (len(mail.outbox), UsageNotice.objects.get().email) == (0, Email.OFF)


def test_a_plan_may_send_no_e_mails():
    Plan.objects.update(emails=False)
    limit(10)
    identify()
    ran(8)
    notify()
    assert (len(mail.outbox), UsageNotice.objects.get().email) == (0, Email.PLAN_WITHOUT)


def test_demo_persons_get_no_e_mail():
    limit(10)
    identify()
    ran(8)
    Person.objects.update(is_demo=True)
    notify()
    assert (len(mail.outbox), UsageNotice.objects.get().email) == (0, Email.DEMO)


@pytest.fixture
def mail_server(monkeypatch):
    """A mail server that fails while `fails` is set."""
    server = {"fails": True}
    send = EmailBackend.send_messages

    def send_messages(self, messages):
        if server["fails"]:
            raise smtplib.SMTPServerDisconnected
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)
    return server


def test_p23_a_failed_e_mail_is_not_marked_as_sent_and_is_retried(mail_server):
    limit(10)
    identify()
    ran(8)
    notify()
    assert UsageNotice.objects.get().email == Email.FAILED
    mail_server["fails"] = False
    usage_notices.notify_all(now=NOW)
    assert (UsageNotice.objects.get().email, len(mail.outbox)) == (Email.SENT, 1)


def test_retries_of_an_e_mail_end(mail_server):
    limit(10)
    identify()
    ran(8)
    for _ in range(9):
        notify()
        usage_notices.notify_all(now=NOW)
    assert UsageNotice.objects.get().attempts == usage_emails.MOST_ATTEMPTS


def test_p21_two_workers_never_send_the_same_e_mail():
    limit(10)
    identify()
    ran(8)
    [notice] = usage_notices._claim(ada(), now=NOW)
    UsageNotice.objects.update(email=Email.SENDING)
    usage_emails.send(notice, now=NOW)
    assert mail.outbox == []


def test_an_outdated_notice_is_not_sent():
    limit(10)
    identify()
    ran(8)
    [notice] = usage_notices._claim(ada(), now=NOW)
    limit(100)
    usage_emails.send(notice, now=NOW)
    assert (UsageNotice.objects.get().email, mail.outbox) == (Email.OUTDATED, [])
