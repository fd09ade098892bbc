"""Alerts against a simple model, while clocks are set, processes killed and mail servers fail.

Nothing arrives twice but what a killed sender, or a server that hung up after it took a message,
left unknown; that has the same Message-ID. Nothing is missing.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from common.calculations.health import Component, Health
from operational.alerting import health_alerts
from operational.health.system_health import SystemHealth
from operational.messages import sending
from operational.models import Alert, AlertChange, Delivery
from tests.clocks import stopped
from tests.mail_server import HangUp, MailServer
from tests.property_tests import examples

NOW = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RECIPIENTS = ["ada@example.com", "bob@example.com"]
HEALTHS = [Health.OK, Health.WARNING, Health.CRITICAL]

# Whole hours, so that no check seems to be of the minute of another one.
steps = st.one_of(
    st.tuples(st.just("check"), st.sampled_from(range(3))),
    st.tuples(st.just("check"), st.sampled_from([0, 2])),
    st.tuples(st.just("killed check"), st.sampled_from(range(3))),
    st.tuples(st.just("killed sender"), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([-20, -3, 1, 30, 24 * 300])),
    st.tuples(st.just("mail"), st.sampled_from(["", "451", "554", "partial", "before", "after"])),
)


class Killed(BaseException):
    """What ends a process at once, so that nothing catches it."""


@dataclass
class Company:
    """The real alerts and messages of one component, at a time that the test sets."""

    mail: MailServer
    patch: pytest.MonkeyPatch
    now: datetime = NOW
    seen: list[int] = field(default_factory=list)
    unknown: int = 0  # messages of which the sender cannot know whether they were sent

    def check(self, level):
        """Let both processes that check do so, as they do each minute; then send."""
        self._health(level)
        for second in range(2):
            health_alerts.check(now=self.now + timedelta(seconds=10 * second))
        self.seen.append(level)
        self.send()

    def killed_check(self, level):
        self._health(level)
        with suppress(Killed), transaction.atomic():
            health_alerts.check(now=self.now)
            raise Killed

    def killed_sender(self, _):
        """Kill the sender after the server took a message, before it is recorded."""

        def die(*_, **outcome):
            if outcome["status"] == "sent":
                self.unknown += 1
            raise Killed

        with self.patch.context() as patch, suppress(Killed):
            patch.setattr(sending, "_record", die)
            self.send()

    def clock(self, hours):
        self.now += hours * HOUR

    def mail_mode(self, mode):
        self.mail.refusal = f"{mode} not now" if mode.isdecimal() else ""
        self.mail.refused = {RECIPIENTS[1]: "451 not now"} if mode == "partial" else {}
        self.mail.before = self._hang_up if mode == "before" else _do_nothing
        self.mail.after = partial(self._hang_up, took=1) if mode == "after" else _do_nothing

    def _hang_up(self, _, took=0):
        self.unknown += took
        raise HangUp

    def send(self):
        sending.send_due(clock=stopped(self.now))

    def _health(self, level):
        self.now += MINUTE
        component = Component("disk", HEALTHS[level], "")
        health = SystemHealth(self.now, component.health, (component,))
        self.patch.setattr(health_alerts, "system_health", lambda _: health)

    def recover(self):
        """Let the mail server work and the clock be right, until nothing waits."""
        self.mail_mode("")
        self.now = NOW + HOUR
        for _ in range(4):
            self.now += 2 * HOUR
            self.send()


def _do_nothing(_):
    pass


def expected(levels):
    """Return the notifications of levels (0, 1 or 2) that are seen one after the other."""
    names, sent, firing = ["ok", "warning", "critical"], [], 0
    window: list[int] = []
    for level in levels:
        window = [*window, level][-3:]
        breached = max(
            bad for bad in range(level + 1) if bad == 0 or sum(x >= bad for x in window) > 1
        )
        if breached > firing:
            sent.append(f"{'now ' if firing else ''}{names[breached]}")
            firing = breached
        elif level < firing:
            sent.append(f"now only {names[level]}" if level else "resolved")
            firing, window = level, window if level else []
    return [f"Plumbline: Disk: {text}" for text in sent]


@pytest.mark.django_db
@examples(100)
@given(history=st.lists(steps, min_size=4, max_size=20))
def test_alerts_are_notified_once_and_none_is_missing(mail_server, settings, history):
    settings.ADMIN_EMAIL = RECIPIENTS
    Delivery.objects.all().delete()
    Alert.objects.all().delete()
    Alert.objects.create(kind="health", subject="disk", reminder_days=0)
    mail_server.messages.clear()
    with pytest.MonkeyPatch.context() as patch:
        company = Company(mail_server, patch)
        company.mail_mode("")
        for action, argument in history:
            name = {"mail": "mail_mode"}.get(action, action.replace(" ", "_"))
            getattr(company, name)(argument)
        company.recover()
    wanted = expected(company.seen)
    assert AlertChange.objects.exclude(notification="").count() == len(wanted)
    assert set(Delivery.objects.values_list("status", flat=True)) <= {"sent"}
    copies = Counter(message["Message-ID"] for message in mail_server.messages)
    assert len(copies) == len(wanted) * len(RECIPIENTS)
    assert copies.total() - len(copies) <= company.unknown
    once = {message["Message-ID"]: message["Subject"] for message in mail_server.messages}
    assert Counter(once.values()) == Counter(wanted * len(RECIPIENTS))
