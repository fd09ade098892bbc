"""O02, O03: alerts and reports against a mail server that misbehaves in every way.

A random history of posts, senders, clock steps and kills; then the server behaves. Nothing is
missing, and nothing arrived twice but where the sender was killed, or the server hung up, after the
message was accepted.
"""

import os
import random
import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from operational.messages import deliveries, sending
from operational.messages.deliveries import Message
from operational.models import Delivery, DeliveryKind
from tests.clocks import Clock, stopped
from tests.mail_server import HangUp
from tests.operational.kpi_data import NOW
from tests.processes import fork, wait

ALERT, REPORT = DeliveryKind.ALERT, DeliveryKind.DAILY_REPORT
TO = ["ada@example.com", "bob@example.com"]
REPLIES = ["421 closing", "450 later", "451 local error", "550 no such user", "554 no thanks"]
STEPS = [{"minutes": 1}, {"minutes": 30}, {"hours": 20}, {"days": 365}, {"days": -365}]


class Model:
    """The system under test, the clock, and what the server may have received twice."""

    def __init__(self, server, seed):
        self.server, self.chance = server, random.Random(seed)
        self.clock = Clock(NOW)
        self.posted = 0
        self.ambiguous: Counter[str] = Counter()
        self.child = 0  # the sender in a process of its own, if it is to be killed

    def post(self):
        self.posted += 1
        kind = self.chance.choice([ALERT, REPORT])
        message = Message(f"{kind.value} {self.posted}", "Text")
        now = self.clock()
        useful = now + timedelta(days=400)  # longer than any step of the clock
        deliveries.post(kind, f"{self.posted}", message, to=TO, now=now, expires_at=useful)

    def misbehave(self):
        self.behave()
        kind = self.chance.choice(["refuse", "partial", "before", "after", "slow", "none"])
        if kind == "refuse":
            self.server.refusal = self.chance.choice(REPLIES)
        elif kind == "partial":
            self.server.refused = {self.chance.choice(TO): self.chance.choice(REPLIES[1:])}
        elif kind == "slow":
            self.server.before = lambda _: self.clock.step(seconds=14)
        elif kind != "none":
            setattr(self.server, kind, self._hang_up(is_accepted=kind == "after"))

    def behave(self):
        self.server.refusal, self.server.refused = "", {}
        self.server.before = self.server.after = lambda _: None

    def _hang_up(self, *, is_accepted):
        def hang_up(message):
            self.ambiguous[message["Message-ID"]] += is_accepted
            raise HangUp

        return hang_up

    def send(self):
        sending.send_due(clock=self.clock)

    def watch(self):
        sending.send_due(kinds=[ALERT], clock=self.clock)

    def kill_a_sender(self):
        """Kill a sender while the server has its first or second message, accepted or not."""
        self.behave()
        moment = self.chance.choice(["before", "after"])
        left = [self.chance.choice([0, 1])]
        child: list[int] = []

        def kill(message):
            if left[0]:
                left[0] -= 1
                return
            os.kill(child[0], signal.SIGKILL)
            self.ambiguous[message["Message-ID"]] += moment == "after"
            raise HangUp

        setattr(self.server, moment, kill)
        now = self.clock()
        child.append(fork(lambda: sending.send_due(clock=stopped(now))))
        wait(child[0])
        self.behave()

    def step(self):
        self.clock.step(**self.chance.choice(STEPS))

    def run(self, steps):
        for _ in range(steps):
            self.chance.choice(
                [self.post, self.misbehave, self.send, self.watch, self.kill_a_sender, self.step]
            )()

    def settle(self):
        """Let the server behave, the clock be right, and every minute a sender run."""
        self.behave()
        self.clock.now = NOW + timedelta(hours=1)
        for _ in range(90):
            self.send()
            self.clock.step(minutes=1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(6))
def test_o03_nothing_is_missing_and_nothing_twice_but_what_no_one_can_know(mail_server, seed):
    model = Model(mail_server, seed)
    model.post()
    model.run(40)
    model.settle()
    unsent = Delivery.objects.exclude(status="sent")
    assert list(unsent.values_list("subject", "status", "problem")) == []
    received = Counter(message["Message-ID"] for message in mail_server.messages)
    assert len(received) == len(TO) * model.posted
    twice = received - Counter(received.keys())
    assert twice <= model.ambiguous


@pytest.fixture
def waiting_reports():
    for number in range(320):
        deliveries.post(REPORT, f"{number}", Message("Report", "Text"), to=TO[:1], now=NOW)


def post_alert(now):
    deliveries.post(ALERT, "alert", Message("Alert", "Text"), to=TO[:1], now=now)
    connection.close()  # of the thread of the mail server


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("waiting_reports")
def test_o03_an_alert_arrives_within_two_minutes_while_320_slow_reports_wait(mail_server):
    clock, posted, arrived = Clock(NOW), [], []

    def slow(message):
        clock.step(seconds=14)
        if message["Subject"] == "Alert":
            arrived.append(clock())
            mail_server.refusal = "421 enough for this test"
        elif len(mail_server.messages) == 9:
            posted.append(clock())
            post_alert(clock())

    mail_server.before = slow
    sending.send_due(clock=clock)
    assert arrived[0] - posted[0] <= timedelta(minutes=2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("waiting_reports")
def test_o03_an_alert_whose_sender_was_killed_arrives_within_two_minutes(mail_server):
    clock = Clock(NOW)
    child: list[int] = []
    deliveries.post(ALERT, "alert", Message("Alert", "Text"), to=TO[:1], now=NOW)

    def kill(_message):
        os.kill(child[0], signal.SIGKILL)
        raise HangUp

    mail_server.before = kill
    child.append(fork(lambda: sending.send_due(clock=stopped(NOW))))
    assert wait(child[0]) == -signal.SIGKILL
    mail_server.before = lambda _: None
    while not mail_server.messages:
        clock.step(minutes=1)
        sending.send_due(kinds=[ALERT], clock=clock)  # as the watchdog does
    assert mail_server.subjects == ["Alert"]
    assert clock() - NOW <= timedelta(minutes=2)
