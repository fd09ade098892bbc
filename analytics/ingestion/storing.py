"""Store the events of claimed requests, and count their outcomes in the ledger."""

import logging
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

import psycopg

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
from analytics.models import EventOutcome
from analytics.rollups.person_cache import PersonCache

logger = logging.getLogger(__name__)


class Request(NamedTuple):
    """A claimed request."""

    id: int
    project_key_id: int
    received_at: datetime
    sent_at: datetime | None
    sdk: str
    events: int
    body: bytes


def store(cursor: psycopg.Cursor, requests: Sequence[Request], cache: PersonCache) -> None:
    """Store the events of requests, and count their outcomes in the ledger."""
    sources = verified_identity.sources(cursor, {request.project_key_id for request in requests})
    read = list(parse(requests, sources))
    lines = [
        LedgerLine(
            ledger.start_of_hour(request.received_at), request.project_key_id, EventOutcome.ACCEPTED
        )
        for request in requests
    ]
    ends = list(accumulate(len(parsed.events) for parsed in read))
    events = EventBatch.concatenate([parsed.events for parsed in read])
    refusals: dict[bytes, Refusal] = {}
    results = ingest.store(events, forward=True, cache=cache, refusals=refusals)
    amounts: Counter[LedgerLine] = Counter()
    for request, parsed, line, start, end in zip(
        requests, read, lines, [0, *ends], ends, strict=False
    ):
        its_results = results[start:end]
        amounts[line] += request.events
        for outcome in (EventOutcome.STORED, EventOutcome.DUPLICATE, EventOutcome.ERASED):
            amounts[line._replace(outcome=outcome)] += its_results.count(outcome)
        parsed.rejections += [result for result in its_results if isinstance(result, Rejection)]
    amounts += _keep_rejected(read, lines)
    reasons = _reasons_without_time(read) | refusals
    for index, reason in _changed(events, results, reasons):
        line = lines[bisect_right(ends, index)]
        amounts[line._replace(outcome=EventOutcome.CHANGED, reason=reason)] += 1
    ledger.add(cursor, amounts)
    note_use(cursor, {request.project_key_id: request.received_at for request in requests})


def _keep_rejected(
    requests: Sequence[ParsedRequest], lines: Sequence[LedgerLine]
) -> Counter[LedgerLine]:
    """Keep the rejections of requests for the admin, and return how many events they are."""
    amounts: Counter[LedgerLine] = Counter()
    rejected = [
        (index, rejection)
        for index, parsed in enumerate(requests)
        for rejection in parsed.rejections
    ]
    kept: dict[int, list[Rejection]] = defaultdict(list)
    erased = rejections.naming_erased([rejection for _, rejection in rejected])
    for (index, rejection), is_erased in zip(rejected, erased, strict=True):
        outcome = EventOutcome.ERASED if is_erased else EventOutcome.REJECTED
        reason = "" if is_erased else rejection.reason
        amounts[lines[index]._replace(outcome=outcome, reason=reason)] += rejection.events
        if not is_erased:
            kept[index].append(rejection)
    rejections.record(
        row
        for index, of_request in kept.items()
        for row in rejections.of_request(
            of_request, requests[index].arrival, project_key_id=lines[index].project_key_id
        )
    )
    return amounts


def _reasons_without_time(requests: Sequence[ParsedRequest]) -> dict[bytes, Reason | Refusal]:
    """Return why events have the time of their arrival, by their uuids."""
    return {uuid: Reason.BAD_TIMESTAMP for parsed in requests for uuid in parsed.without_time}


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
