"""Turn acknowledged requests into stored events."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import psycopg
from django.db import connection, transaction
from django.db.models import Count, Min

from analytics import ingest, ledger, rejections, retention_period
from analytics.calculations import body as bodies
from analytics.calculations import parsing
from analytics.calculations.batch import Batch
from analytics.calculations.body import BadToken, TooLarge
from analytics.calculations.wire import Arrival, Holds, Reason, Refused, Rejection
from analytics.ledger import Line
from analytics.memory import Memory
from analytics.models import InboxRequest, Outcome
from analytics.project_keys import note_use
from analytics.read_once import read_once

logger = logging.getLogger(__name__)

# What one transaction takes on. It bounds the memory of an ingest process at any backlog.
EVENTS_PER_BATCH = 100_000
BYTES_PER_BATCH = 24 * 1024 * 1024  # decompressed
MAX_REQUESTS_PER_BATCH = 5_000

_LOOK = """
SELECT id, events, size FROM analytics_inboxrequest
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""

_TAKE = """
DELETE FROM analytics_inboxrequest WHERE id = ANY(%s)
RETURNING id, project_key_id, received_at, sent_at, sdk, events, body
"""


class Request(NamedTuple):
    """A claimed request."""

    id: int
    project_key_id: int
    received_at: datetime
    sent_at: datetime | None
    sdk: str
    events: int
    body: bytes


@dataclass
class Inbox:
    """One process' view of the inbox. It learns how many requests make a good batch."""

    requests: int = 100  # to look at
    memory: Memory = field(default_factory=Memory)

    @transaction.atomic
    def process_batch(self) -> int:
        """Store the oldest unclaimed requests and return how many events they held.

        The requests leave the inbox in the commit that stores their events, so that a crash at any
        moment loses nothing and counts nothing twice.
        """
        cursor = psycopg.Cursor(connection.connection)
        claimed = self._claim(cursor)
        if claimed:
            store(cursor, claimed, self.memory)
        return sum(request.events for request in claimed)

    def _claim(self, cursor: psycopg.Cursor) -> list[Request]:
        cursor.execute(_LOOK, [self.requests], binary=True)
        waiting = cursor.fetchall()
        if not waiting:
            return []
        ids: list[int] = []
        events = size = 0
        for request_id, its_events, its_size in waiting:
            events, size = events + its_events, size + its_size
            if ids and (events > EVENTS_PER_BATCH or size > BYTES_PER_BATCH):
                break
            ids.append(request_id)
        if len(ids) < len(waiting):  # the others stay locked meanwhile: look at fewer next time
            self.requests = len(ids) + 1
        elif len(ids) == self.requests:
            self.requests = min(2 * self.requests, MAX_REQUESTS_PER_BATCH)
        cursor.execute(_TAKE, [ids], binary=True)
        return sorted(Request(*row) for row in cursor.fetchall())


def store(cursor: psycopg.Cursor, requests: Sequence[Request], memory: Memory) -> None:
    """Store the events of requests, with a ledger line for each."""
    read: list[Batch] = []
    ends: list[int] = []  # of each request's events among all
    lines: list[tuple[Line, Arrival]] = []
    rejected: list[tuple[Rejection, Line, Arrival]] = []
    amounts: Counter[Line] = Counter()
    for request in requests:
        line = Line(ledger.hour_of(request.received_at), request.project_key_id, Outcome.ACCEPTED)
        amounts[line] += request.events
        parsed = _checked(request, parse(request))
        read.append(parsed.events)
        ends.append((ends[-1] if ends else 0) + len(parsed.events))
        lines.append((line, parsed.arrival))
        rejected += [(rejection, line, parsed.arrival) for rejection in parsed.rejections]
    fates = ingest.store(Batch.joined(read), forward=True, memory=memory)
    for (line, arrival), start, end in zip(lines, [0, *ends], ends, strict=False):
        its_fates = fates[start:end]
        for outcome in (Outcome.STORED, Outcome.DUPLICATE):
            amounts[line._replace(outcome=outcome)] += its_fates.count(outcome)
        rejected += [(fate, line, arrival) for fate in its_fates if isinstance(fate, Rejection)]
    for rejection, line, _ in rejected:
        rejected_line = line._replace(outcome=Outcome.REJECTED, reason=rejection.reason)
        amounts[rejected_line] += rejection.events
    rejections.record(
        rejections.captured(rejection, arrival, project_key_id=line.project_key_id)
        for rejection, line, arrival in rejected
    )
    ledger.add(cursor, amounts)
    note_use(cursor, {request.project_key_id: request.received_at for request in requests})


def parse(request: Request) -> parsing.Parsed:
    """Return the events of a request; one that has become unreadable is one rejection."""
    arrival = Arrival(
        received_at=request.received_at,
        sent_at=request.sent_at,
        sdk=request.sdk,
        oldest=retention_period.oldest(request.received_at),
    )
    body = request.body
    try:
        body = bodies.decompressed(body)
        return parsing.parse_body(body, arrival)
    except (Refused, TooLarge, BadToken) as error:  # the rules became stricter since
        reason = error.reason if isinstance(error, Refused) else Reason.MALFORMED
        whole = Rejection(reason, str(error), body, holds=Holds.REQUEST, events=request.events)
        return parsing.Parsed(arrival, rejections=[whole])


def _checked(request: Request, parsed: parsing.Parsed) -> parsing.Parsed:
    """Say so where the front door acknowledged another number of events than there are."""
    found = len(parsed.events) + sum(rejection.events for rejection in parsed.rejections)
    if found != request.events:
        logger.error(
            "Request %d: %d events acknowledged, %d found: the ledger does not add up",
            request.id,
            request.events,
            found,
        )
    return parsed


def depth() -> int:
    """Return how many acknowledged requests wait."""
    return InboxRequest.objects.count()


@read_once
def waiting() -> tuple[int, datetime | None]:
    """Return how many acknowledged requests wait, and since when the oldest one does."""
    found = InboxRequest.objects.aggregate(requests=Count("pk"), since=Min("received_at"))
    return found["requests"], found["since"]
