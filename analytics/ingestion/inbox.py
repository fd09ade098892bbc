"""Turn acknowledged requests into stored events."""

import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import psycopg
from django.db import transaction
from django.db.models import Count, Min

from analytics.calculations.batch import EventBatch
from analytics.calculations.compression import decompress
from analytics.calculations.parsing import ParsedRequest, Unreadable, parse_bodies
from analytics.calculations.people.bounds import Refusal
from analytics.calculations.records import (
    Arrival,
    Holds,
    InvalidEvent,
    Proof,
    Reason,
    Rejection,
    Source,
    TooLarge,
)
from analytics.capture import ledger, rejections, retention_period, verified_identity
from analytics.capture.ledger import LedgerLine
from analytics.capture.project_keys import note_use
from analytics.ingestion import ingest
from analytics.ingestion.ingest import StoreResult
from analytics.models import EventOutcome, InboxRequest
from analytics.rollups.person_cache import PersonCache
from common.postgres import raw_cursor
from common.read_once import read_once

logger = logging.getLogger(__name__)

# Limits of one transaction. They bound the memory of an ingest process whatever the backlog.
EVENTS_PER_BATCH = 100_000
BYTES_PER_BATCH = 24 * 1024 * 1024  # decompressed
WORTH_SHARING = 10_000  # events; a smaller backlog is left to one process
MAX_REQUESTS_PER_BATCH = 5_000

_PEEK = """
SELECT id, events, size FROM analytics_inboxrequest
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""

# An array, because the statistics of a mostly empty table turn a join into a nested loop: a hundred
# times slower.
_TAKE = """
DELETE FROM analytics_inboxrequest WHERE id = ANY(ARRAY(
    SELECT id FROM analytics_inboxrequest WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED
)) RETURNING id, project_key_id, received_at, sent_at, sdk, events, body
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
    """One process' view of the inbox. It adapts the number of requests in a batch."""

    requests: int = 100  # to read at a time
    cache: PersonCache = field(default_factory=PersonCache)

    @transaction.atomic
    def process_batch(self) -> int:
        """Store the oldest unclaimed requests and return how many events they held.

        The requests leave the inbox in the commit that stores their events, so that a crash at any
        time loses nothing and counts nothing twice.
        """
        cursor = raw_cursor()
        claimed = self._claim(cursor)
        if claimed:
            store(cursor, claimed, self.cache)
        return sum(request.events for request in claimed)

    def _claim(self, cursor: psycopg.Cursor) -> list[Request]:
        cursor.execute("SAVEPOINT claim")
        cursor.execute(_PEEK, [self.requests], binary=True)
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
        if len(ids) < len(waiting):
            self.requests = len(ids) + 1  # read fewer next time
        elif len(ids) == self.requests:
            self.requests = min(2 * self.requests, MAX_REQUESTS_PER_BATCH)
        elif events > WORTH_SHARING:  # the end of a backlog: leave half of it to other processes
            ids = ids[: max(1, len(ids) // 2)]
        if len(ids) < len(waiting):
            cursor.execute("ROLLBACK TO SAVEPOINT claim")  # which unlocks the other requests
        return claim(cursor, ids)


def claim(cursor: psycopg.Cursor, request_ids: Sequence[int]) -> list[Request]:
    """Take those of the requests out of the inbox that no other process has claimed."""
    cursor.execute(_TAKE, [request_ids], binary=True)
    return sorted(Request(*row) for row in cursor.fetchall())


def store(cursor: psycopg.Cursor, requests: Sequence[Request], cache: PersonCache) -> None:
    """Store the events of requests, and count their outcomes in the ledger."""
    read: list[EventBatch] = []
    ends: list[int] = []  # of each request's events among all
    lines: list[tuple[LedgerLine, Arrival]] = []
    rejected: list[tuple[Rejection, LedgerLine, Arrival]] = []
    ignored: dict[bytes, Reason | Refusal] = {}
    amounts: Counter[LedgerLine] = Counter()
    sources = verified_identity.sources(cursor, {request.project_key_id for request in requests})
    for request, parsed in zip(requests, parse(requests, sources), strict=True):
        line = LedgerLine(
            ledger.start_of_hour(request.received_at), request.project_key_id, EventOutcome.ACCEPTED
        )
        amounts[line] += request.events
        read.append(parsed.events)
        ignored |= dict.fromkeys(parsed.without_time, Reason.BAD_TIMESTAMP)
        ends.append((ends[-1] if ends else 0) + len(parsed.events))
        lines.append((line, parsed.arrival))
        rejected += [(rejection, line, parsed.arrival) for rejection in parsed.rejections]
    events = EventBatch.concatenate(read)
    refusals: dict[bytes, Refusal] = {}
    results = ingest.store(events, forward=True, cache=cache, refusals=refusals)
    for (line, arrival), start, end in zip(lines, [0, *ends], ends, strict=False):
        its_results = results[start:end]
        for outcome in (EventOutcome.STORED, EventOutcome.DUPLICATE, EventOutcome.ERASED):
            amounts[line._replace(outcome=outcome)] += its_results.count(outcome)
        rejected += [
            (result, line, arrival) for result in its_results if isinstance(result, Rejection)
        ]
    erased = rejections.naming_erased([rejection for rejection, _, _ in rejected])
    for (rejection, line, _), is_erased in zip(rejected, erased, strict=True):
        rejected_line = line._replace(outcome=EventOutcome.REJECTED, reason=rejection.reason)
        erased_line = line._replace(outcome=EventOutcome.ERASED)
        amounts[erased_line if is_erased else rejected_line] += rejection.events
    rejections.record(
        rejections.captured(rejection, arrival, project_key_id=line.project_key_id)
        for rejection, line, arrival in rejected
    )
    for index, reason in _changed(events, results, ignored | refusals):
        line, _ = lines[bisect_right(ends, index)]
        amounts[line._replace(outcome=EventOutcome.CHANGED, reason=reason)] += 1
    ledger.add(cursor, amounts)
    note_use(cursor, {request.project_key_id: request.received_at for request in requests})


def _changed(
    events: EventBatch, results: Sequence[StoreResult], reasons: Mapping[bytes, Reason | Refusal]
) -> Iterator[tuple[int, Reason | Refusal]]:
    """Yield the indices of the events that were stored with a change, and why, by their uuids."""
    if not reasons:
        return
    for index, (uuid, result) in enumerate(zip(events.uuids.tolist(), results, strict=True)):
        if result is EventOutcome.STORED and uuid in reasons:
            yield index, reasons[uuid]


def parse(requests: Sequence[Request], sources: Mapping[int, Source]) -> Iterator[ParsedRequest]:
    """Yield the events of each request; a request that is now unreadable is one rejection."""
    arrivals = [
        Arrival(
            received_at=request.received_at,
            sent_at=request.sent_at,
            sdk=request.sdk,
            oldest=retention_period.oldest(
                request.received_at, is_claim=source.proof < Proof.PROVED
            ),
            source=source,
        )
        for request in requests
        for source in [sources[request.project_key_id]]
    ]
    bodies = parse_bodies([request.body for request in requests], arrivals)
    for request, arrival, body in zip(requests, arrivals, bodies, strict=True):
        parsed = body if isinstance(body, ParsedRequest) else _unreadable(request, arrival, body)
        _check(request, parsed)
        yield parsed


def _unreadable(request: Request, arrival: Arrival, error: Unreadable) -> ParsedRequest:
    """Return the rejection of a request that the front door accepted under less strict rules."""
    reason = error.reason if isinstance(error, InvalidEvent) else Reason.MALFORMED
    body = request.body
    with suppress(InvalidEvent, TooLarge):  # readable in the admin
        body = decompress(body)
    whole = Rejection(reason, str(error), body, holds=Holds.REQUEST, events=request.events)
    return ParsedRequest(arrival, rejections=[whole])


def _check(request: Request, parsed: ParsedRequest) -> None:
    """Log an error where the front door acknowledged another number of events."""
    events = len(parsed.events) + sum(rejection.events for rejection in parsed.rejections)
    if events != request.events:
        logger.error(
            "Request %d: %d events acknowledged, %d read: the ledger does not add up",
            request.id,
            request.events,
            events,
        )


def depth() -> int:
    """Return the number of acknowledged requests that are waiting."""
    return InboxRequest.objects.count()


@read_once
def waiting() -> tuple[int, datetime | None]:
    """Return the number of acknowledged requests that are waiting, and the oldest one's arrival."""
    totals = InboxRequest.objects.aggregate(requests=Count("pk"), since=Min("received_at"))
    return totals["requests"], totals["since"]
