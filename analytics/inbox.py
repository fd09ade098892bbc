"""Turn acknowledged requests into stored events."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import psycopg
from django.db import connection, transaction

from analytics import ingest, ledger, retention_period
from analytics.calculations import body as bodies
from analytics.calculations import wire
from analytics.calculations.body import BadToken, TooLarge
from analytics.calculations.wire import Arrival, EventRecord, Reason, Refused, Rejection
from analytics.ledger import Line
from analytics.models import InboxRequest, Outcome
from analytics.rollups import Memory

# What one transaction takes on. It bounds the memory of an ingest process at any backlog.
EVENTS_PER_BATCH = 20_000
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
        """Store the oldest unclaimed requests and return how many there were.

        The requests leave the inbox in the commit that stores their events, so that a crash at any
        moment loses nothing and counts nothing twice.
        """
        cursor = psycopg.Cursor(connection.connection)
        claimed = self._claim(cursor)
        if claimed:
            store(cursor, claimed, self.memory)
        return len(claimed)

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
    records: list[EventRecord] = []
    origins: list[Line] = []
    amounts: Counter[Line] = Counter()
    rejections: list[tuple[Rejection, int]] = []
    for request in requests:
        accepted = Line(
            ledger.hour_of(request.received_at), request.project_key_id, Outcome.ACCEPTED
        )
        parsed = parse(request)
        amounts[accepted] += request.events
        records += parsed.events
        origins += [accepted] * len(parsed.events)
        rejections += [(rejection, request.project_key_id) for rejection in parsed.rejections]
        for rejection in parsed.rejections:
            amounts[_rejected(accepted, rejection.reason)] += 1
    fates = ingest.store(records, forward=True, memory=memory)
    # Counting pairs first: there are few different ones.
    for (accepted, fate), number in Counter(zip(origins, fates, strict=True)).items():
        if isinstance(fate, Rejection):
            rejections += [(fate, accepted.project_key_id)] * number
            amounts[_rejected(accepted, fate.reason)] += number
        else:
            amounts[accepted._replace(outcome=fate)] += number
    for key_id in {key_id for _, key_id in rejections}:
        of_key = [rejection for rejection, its_key_id in rejections if its_key_id == key_id]
        ingest.record_rejections(of_key, project_key_id=key_id)
    ledger.add(cursor, amounts)


def _rejected(accepted: Line, reason: Reason) -> Line:
    return accepted._replace(outcome=Outcome.REJECTED, reason=reason)


def parse(request: Request) -> wire.Parsed:
    """Return the events of a request; one that has become unreadable is one rejection."""
    arrival = Arrival(
        received_at=request.received_at,
        sent_at=request.sent_at,
        sdk=request.sdk,
        oldest=retention_period.oldest(request.received_at),
    )
    try:
        envelope = bodies.opened(bodies.decompressed(request.body))
    except (Refused, TooLarge, BadToken) as error:  # the rules became stricter since
        reason = error.reason if isinstance(error, Refused) else Reason.MALFORMED
        return wire.Parsed(rejections=[Rejection(reason, str(error), request.body)])
    return wire.parse(envelope.events, arrival.sent(envelope.sent_at))


def depth() -> int:
    """Return how many acknowledged requests wait."""
    return InboxRequest.objects.count()
