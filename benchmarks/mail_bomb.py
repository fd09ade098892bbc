"""E-mails that a flood of events with the public key causes, to addresses that it claims itself."""

import http.client
import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import sleep

from aiosmtpd.controller import Controller
from django.conf import settings
from django.utils import timezone

from analytics.models import InboxRequest, ProjectKey
from benchmarks import dataset, servers
from billing.limits import usage_notices
from billing.models import UsageNotice
from devstack.server import free_port

DATABASE = "bench_abuse"
PERSONS = 1_000
_VICTIMS = 10  # mailboxes, each of which gets an equal part of the persons
_USES = 16  # of the 20 that the default plan includes
_PERSONS_PER_REQUEST = 50


class Recipients:
    """A mail server that counts what it accepts, by recipient."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    async def handle_DATA(self, _server, _session, envelope) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001, N802
        self.counts.update(envelope.rcpt_tos)
        return "250 OK"


def flood(persons: int) -> Iterator[tuple[str, str]]:
    """Send the events; yield who may be mailed, and the e-mails sent within an hour."""
    token = dataset.empty_database(DATABASE)
    with servers.web("config.wsgi:application", DATABASE) as port, servers.ingest(DATABASE):
        for first in range(0, persons, _PERSONS_PER_REQUEST):
            _send(port, token, range(first, first + _PERSONS_PER_REQUEST))
        while InboxRequest.objects.exists():
            sleep(0.2)
    yield "proved addresses only", _mailed()
    ProjectKey.objects.update(mail_claimed_addresses=True)
    UsageNotice.objects.update(email=UsageNotice.Email.WAITING, attempts=0)
    yield "staff lets the key's claims be mailed", _mailed()


def _send(port: int, token: str, numbers: range) -> None:
    now = datetime.now(UTC).isoformat()
    batch = [
        {
            "event": "suggestion_applied",
            "distinct_id": f"made-up-{number}",
            "timestamp": now,
            "properties": {"$set": {"email": _address(number)}},
        }
        for number in numbers
        for _ in range(_USES)
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/batch/", json.dumps({"api_key": token, "batch": batch}))
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def _address(number: int) -> str:
    """Return one of the victims' addresses, or in every second case a stranger's."""
    if number % 2:
        return f"stranger-{number}@example.com"
    return f"victim-{number // 2 % _VICTIMS}+{number}@example.com"


def _mailed() -> str:
    """Send what is due; return the number of e-mails, and the most to one mailbox."""
    with _mail_server() as recipients:
        usage_notices.notify_all(now=timezone.now())
    mailboxes: Counter[str] = Counter()
    for address, number in recipients.counts.items():
        mailboxes[address.partition("@")[0].partition("+")[0]] += number
    waiting = UsageNotice.objects.filter(email=UsageNotice.Email.WAITING).count()
    return (
        f"{mailboxes.total():,} e-mails, {max(mailboxes.values(), default=0):,} to one mailbox;"
        f" {waiting:,} of {UsageNotice.objects.count():,} wait"
    )


@contextmanager
def _mail_server() -> Iterator[Recipients]:
    recipients = Recipients()
    settings.EMAIL_BACKEND = "common.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.PLUMBLINE_EMAIL_FROM = "hello@example.com"
    controller = Controller(recipients, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the server's
    controller.start()
    try:
        yield recipients
    finally:
        controller.stop()
