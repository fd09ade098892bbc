"""O02, O03: a usage notice whose worker died is sent, with the same Message-ID, and never twice."""

import os
import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives

from analytics.models import MailClaim
from billing.limits import usage_emails, usage_notices
from billing.models import UsageNotice
from common import claims
from tests.billing.limited_usage import NOW, ada, identify, limit, ran
from tests.clocks import stopped
from tests.mail_server import HangUp
from tests.processes import fork, wait

Email = UsageNotice.Email


@pytest.fixture
def notice(mail_server):
    limit(10)
    identify()
    ran(8)
    [notice] = usage_notices._claim(ada(), now=NOW)
    return notice


def send(at=NOW):
    usage_emails.send_waiting(now=NOW, clock=stopped(at))
    return UsageNotice.objects.get().email


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_o02_a_notice_whose_worker_was_killed_is_sent_by_another(notice, mail_server, moment):
    child: list[int] = []

    def kill(_message):
        os.kill(child[0], signal.SIGKILL)
        raise HangUp

    setattr(mail_server, moment, kill)
    child.append(fork(send))
    assert wait(child[0]) == -signal.SIGKILL
    setattr(mail_server, moment, lambda _: None)
    assert send() == Email.SENDING  # the claim is respected until it ends
    assert send(NOW + claims.LASTS) == Email.SENT
    ids = Counter(message["Message-ID"] for message in mail_server.messages)
    assert list(ids.values()) == [1 if moment == "before" else 2]
    assert MailClaim.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("days", [365, -365])
def test_o03_another_worker_with_a_wrong_clock_does_not_send_it_too(notice, mail_server, days):
    wrong = NOW + timedelta(days=days)

    def another_worker(_message):
        mail_server.before = lambda _: None
        assert wait(fork(lambda: send(wrong))) == 0

    mail_server.before = another_worker
    assert send() == Email.SENT
    assert len(mail_server.messages) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("error", [RuntimeError, KeyError, ValueError])
def test_o02_whatever_a_backend_raises_fails_one_notice_and_is_retried(notice, monkeypatch, error):
    def fail(_self):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", fail)
        assert send() == Email.FAILED
        assert not MailClaim.objects.exists()
    assert send() == Email.SENT


@pytest.mark.django_db
def test_o02_a_notice_that_a_clock_which_was_ahead_claimed_is_sent(notice, mail_server):
    ahead = NOW + timedelta(days=365)
    UsageNotice.objects.update(email=Email.SENDING, claimed_until=ahead)
    assert send() == Email.SENT
