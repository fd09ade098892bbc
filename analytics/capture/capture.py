"""Accept capture requests: an answer is given once the request is committed to the inbox."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from analytics.calculations import body as bodies
from analytics.calculations import wire
from analytics.calculations.body import Envelope, TooLarge
from analytics.calculations.wire import Arrival, Reason, Refused, Rejection
from analytics.capture import ledger, rejections, retention_period
from analytics.capture.group_commit import GroupCommit
from analytics.capture.ledger import Line
from analytics.capture.project_keys import Key, ProjectKeys, RateLimiter
from analytics.models import InboxRequest, Outcome, ProjectKey
from common.postgres import bigint, brief_transaction, integer, timestamptz

DEFAULT_KEY_NAME = "Default"

project_keys = ProjectKeys()
rate_limiter = RateLimiter()

requests = GroupCommit(
    InboxRequest._meta.db_table,
    {
        "project_key_id": "bigint",
        "received_at": "timestamptz",
        "body": "bytea",
        "events": "int",
        "size": "int",
        "sent_at": "timestamptz",
        "sdk": "text",
    },
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
    key = _admitted(submission, envelope)
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
    _insert(key, submission, envelope)


def accept_each(submission: Submission) -> dict[str, tuple[str, str]]:
    """Commit a request to the inbox, and return by uuid what became of each event, and why.

    v1's answers: ``ok``, ``warning`` (stored otherwise than sent) or ``drop``. Raises what
    `accept` does, but neither for bad events nor beyond the quota.
    """
    envelope = _opened(submission)
    uuids = [wire.uuid_as_sent(sent) for sent in envelope.events]
    try:
        key = _admitted(submission, envelope)
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
        _insert(key, submission, envelope)
    return _named(uuids, results)


def _named(uuids: Sequence[str], results: Sequence[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {uuid: result for uuid, result in zip(uuids, results, strict=True) if uuid}


def _opened(submission: Submission) -> Envelope:
    plain = bodies.decompressed(submission.body, encoding=submission.encoding)
    envelope = bodies.opened(plain)
    if not envelope.events:
        raise Refused(Reason.MISSING_FIELD, "batch: empty")
    return envelope


def _admitted(submission: Submission, envelope: Envelope) -> Key:
    """Return the key that the request comes with, where it may come in now."""
    token = bodies.checked_token(submission.token or envelope.token)
    key = project_keys.find(token, submission.received_at)
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


def _insert(key: Key, submission: Submission, envelope: Envelope) -> None:
    """Commit the request."""
    body = submission.body
    if submission.encoding == "deflate":  # nothing in such a body tells that it is one
        body = bodies.decompressed(body, encoding="deflate")
    requests.insert(
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
    with brief_transaction() as cursor:
        rejections.record(
            rejections.captured(rejection, arrival, project_key_id=key.id, outcome=Outcome.REFUSED)
            for rejection in bad
        )
        ledger.add(
            cursor,
            {Line(hour, key.id, Outcome.REFUSED, reason): n for reason, n in reasons.items()},
        )


def _count_limited(key: Key, submission: Submission, events: int, limit: str) -> None:
    """Count what was not acknowledged: not worth waiting for the disk in a flood of requests."""
    line = Line(ledger.hour_of(submission.received_at), key.id, Outcome.LIMITED, limit)
    with brief_transaction() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        ledger.add(cursor, {line: events})


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
