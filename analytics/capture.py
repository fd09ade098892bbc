"""Accept capture requests: an answer is given once the request is committed to the inbox."""

import select
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from analytics import ledger, rejections, retention_period
from analytics.calculations import body as bodies
from analytics.calculations import wire
from analytics.calculations.body import Envelope, TooLarge
from analytics.calculations.wire import Arrival, Reason, Refused, Rejection
from analytics.ledger import Line
from analytics.models import Outcome, ProjectKey
from analytics.postgres import Prepared, bigint, integer, timestamptz
from analytics.project_keys import Key, ProjectKeys, RateLimiter

DEFAULT_KEY_NAME = "Default"

project_keys = ProjectKeys()
rate_limiter = RateLimiter()

_insert_request = Prepared(
    "plumbline_inbox",
    "INSERT INTO analytics_inboxrequest"
    " (project_key_id, received_at, body, events, size, sent_at, sdk)"
    " VALUES ($1::bigint, $2::timestamptz, $3, $4::int, $5::int, $6::timestamptz, $7)",
)

_AHEAD = ("warning", "timestamp: too far ahead, so its arrival counts")


class UnknownKey(ValueError):
    """The request names no project key that is in use."""

    def __init__(self) -> None:
        super().__init__("api_key: unknown or revoked")


class Overloaded(RuntimeError):
    """Too many requests wait already."""


class RateLimited(RuntimeError):
    """The key sent more events in this second than it may."""


class QuotaExceeded(RuntimeError):
    """The key sent all the events of today that it may: these were dropped."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A request that reached a capture endpoint. `body` may still be compressed."""

    body: bytes
    received_at: datetime
    encoding: str = ""  # Content-Encoding
    token: str = ""  # where a header names it (v1)
    sent_at: datetime | None = None  # v1, as is the next
    sdk: str = ""


def accept(submission: Submission) -> None:
    """Commit a request to the inbox.

    Raise `Refused` where it holds no usable event (its events then stand among the rejected ones),
    `TooLarge`, `BadToken`, `UnknownKey`, `Overloaded`, `RateLimited` or `QuotaExceeded`.
    """
    envelope = _opened(submission)
    raw = _raw_connection()
    key = _admitted(raw, submission, envelope)
    arrival = _arrival(submission, envelope)
    bad: list[Rejection] = []
    for position, sent in enumerate(envelope.events):
        try:
            wire.event_record(wire.decode_event(sent), sent, arrival, position=position)
            break  # one good event is enough; ingest reads them all
        except Refused as error:
            bad.append(error.rejection(sent, position))
    else:
        _refuse(key, arrival, bad)
    _insert(raw, key, submission, envelope)


def accept_each(submission: Submission) -> dict[str, tuple[str, str]]:
    """Commit a request to the inbox, and return by uuid what became of each event, and why.

    v1's answers: ``ok``, ``warning`` (stored otherwise than sent) or ``drop``. Raises what
    `accept` does, but neither for bad events nor beyond the quota.
    """
    envelope = _opened(submission)
    uuids = [wire.uuid_as_sent(sent) for sent in envelope.events]
    raw = _raw_connection()
    try:
        key = _admitted(raw, submission, envelope)
    except QuotaExceeded:
        return _named(uuids, [("drop", "over the daily quota of the key")] * len(uuids))
    arrival = _arrival(submission, envelope)
    results: list[tuple[str, str]] = []
    bad: list[Rejection] = []
    for position, sent in enumerate(envelope.events):
        try:
            event = wire.decode_event(sent)
            record = wire.event_record(event, sent, arrival, position=position)
        except Refused as error:
            bad.append(error.rejection(sent, position))
            results.append(("drop", error.detail))
        else:
            results.append(_AHEAD if wire.is_ahead(event, record, arrival) else ("ok", ""))
    if len(bad) == len(envelope.events):
        _keep_refused(key, arrival, bad)
    else:
        _insert(raw, key, submission, envelope)
    return _named(uuids, results)


def _named(uuids: Sequence[str], results: Sequence[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {uuid: result for uuid, result in zip(uuids, results, strict=True) if uuid}


def _opened(submission: Submission) -> Envelope:
    plain = bodies.decompressed(submission.body, encoding=submission.encoding)
    envelope = bodies.opened(plain)
    if not envelope.events:
        raise Refused(Reason.MISSING_FIELD, "batch: empty")
    return envelope


def _admitted(raw: psycopg.Connection, submission: Submission, envelope: Envelope) -> Key:
    """Return the key that the request comes with, where it may come in now."""
    token = bodies.checked_token(submission.token or envelope.token)
    key = project_keys.find(raw, token, submission.received_at)
    if key is None:
        raise UnknownKey
    events = len(envelope.events)
    if project_keys.inbox_depth > settings.PLUMBLINE_INBOX_LIMIT:
        raise Overloaded
    if not rate_limiter.allows(key, events, submission.received_at):
        _count_limited(key, submission, events, "rate_limit")
        raise RateLimited
    if key.quota_left is not None:
        if key.quota_left <= 0:
            _count_limited(key, submission, events, "daily_quota")
            raise QuotaExceeded
        key.quota_left -= events
    return key


def _arrival(submission: Submission, envelope: Envelope) -> Arrival:
    oldest = retention_period.oldest(submission.received_at)
    arrival = Arrival(submission.received_at, submission.sent_at, submission.sdk, oldest)
    return arrival.sent(envelope.sent_at)


def _insert(raw: psycopg.Connection, key: Key, submission: Submission, envelope: Envelope) -> None:
    """Commit the request."""
    body = submission.body
    if submission.encoding == "deflate":  # nothing in such a body tells that it is one
        body = bodies.decompressed(body, encoding="deflate")
    _insert_request.execute(
        raw,
        [
            bigint(key.id),
            timestamptz(submission.received_at),
            bodies.compressed(body),
            integer(len(envelope.events)),
            integer(envelope.size),
            timestamptz(submission.sent_at) if submission.sent_at else None,
            submission.sdk.encode(),
        ],
    )


def _refuse(key: Key, arrival: Arrival, bad: Sequence[Rejection]) -> None:
    _keep_refused(key, arrival, bad)
    first = bad[0]
    if first.reason is Reason.TOO_LARGE:
        raise TooLarge
    raise Refused(first.reason, first.detail)


def _keep_refused(key: Key, arrival: Arrival, bad: Sequence[Rejection]) -> None:
    hour = ledger.hour_of(arrival.received_at)
    reasons = Counter(rejection.reason for rejection in bad)
    with transaction.atomic():
        rejections.record(
            rejections.captured(rejection, arrival, project_key_id=key.id, outcome=Outcome.REFUSED)
            for rejection in bad
        )
        ledger.add(
            psycopg.Cursor(_raw_connection()),
            {Line(hour, key.id, Outcome.REFUSED, reason): n for reason, n in reasons.items()},
        )


def _count_limited(key: Key, submission: Submission, events: int, limit: str) -> None:
    """Count what was not acknowledged: not worth waiting for the disk in a flood of requests."""
    line = Line(ledger.hour_of(submission.received_at), key.id, Outcome.LIMITED, limit)
    with transaction.atomic():
        cursor = psycopg.Cursor(_raw_connection())
        cursor.execute("SET LOCAL synchronous_commit = off")
        ledger.add(cursor, {line: events})


class _Lease:
    """A thread's connection to the database, given back when the thread ends.

    A server ends threads that have nothing to do, and the pool would miss their connections.
    """

    connection: BaseDatabaseWrapper | None = None

    def __del__(self) -> None:
        if self.connection is not None:
            self.connection.close()


class _Leases(threading.local):
    def __init__(self) -> None:  # in each thread
        self.own = _Lease()


_leases = _Leases()


def _raw_connection() -> psycopg.Connection:
    """Return this thread's connection to the database, which commits each statement."""
    ours = connections[DEFAULT_DB_ALIAS]  # in an event loop not the thread's
    _leases.own.connection = ours
    if ours.connection is not None and _hung_up(ours.connection):
        ours.close()
    ours.ensure_connection()
    raw: psycopg.Connection = ours.connection
    return raw


def _hung_up(raw: psycopg.Connection) -> bool:
    """Whether the server ended a connection that waits for work; costs no round trip."""
    if raw.closed:
        return True
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    return bool(poll.poll(0))  # a server says nothing unasked but farewell


@transaction.atomic
def default_project_key() -> ProjectKey:
    """Return the key that a new installation starts with, making it where it is missing."""
    key, _ = ProjectKey.objects.get_or_create(name=DEFAULT_KEY_NAME)
    return key


def revoke(keys: QuerySet[ProjectKey], *, now: datetime) -> int:
    """Refuse events with these keys from now on, and return how many of them were in use."""
    revoked = keys.filter(revoked_at=None).update(revoked_at=now)
    project_keys.forget()  # the other processes do so within seconds
    return revoked


def now() -> datetime:
    return datetime.now(UTC)
