"""S06: staff hears within minutes when e-mails to persons reach a cap."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.people import mail_caps
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outages
from tests.clocks import stopped

pytestmark = pytest.mark.django_db


def texts(mail_server) -> list[str]:
    """Return the messages about caps; others are about servers that tests do not run."""
    every = [mail_server.text(number) for number in range(len(mail_server.messages))]
    return [text for text in every if "Mail caps" in text]


def watch(now, minutes: int) -> None:
    for minute in range(minutes):
        watchdog.check(Outages(), clock=stopped(now + timedelta(minutes=minute)))


def test_s06_staff_is_notified_of_a_reached_cap_and_when_it_is_over(mail_server, settings):
    settings.PLUMBLINE_EMAILS_PER_HOUR = 3
    now = timezone.now()
    for number in range(3):
        mail_caps.claim(f"person{number}@example.com", "notice", now=now)
    watch(now, 2)
    [text] = texts(mail_server)
    assert "The cap of 3 e-mails an hour to persons is reached" in text
    watch(now + timedelta(hours=1), 3)
    assert "Mail caps: resolved" in texts(mail_server)[-1]
