"""Accept capture requests: each is acknowledged once it is committed to the inbox.

An event's way in, step by step:

1. `front_door` reads the HTTP request and unwraps forms and base64 (`calculations.body`).
2. `_open` decompresses the body and finds its events and its token (`calculations.compression`,
   `calculations.body`).
3. `_admit` finds the project key and checks the inbox, its rate limit and its quota.
4. `answers` reads events (`calculations.wire`), so that an unusable request is refused at once.
5. `_insert` commits the request to the inbox. It is acknowledged now.
6. `ingestion.inbox` claims requests. In the same transaction `ingestion.storing` reads their events
   again (`calculations.parsing`), and `ingestion.ingest` stores them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from analytics.calculations.body import BadToken, Envelope, check_token, open_body
from analytics.calculations.compression import WITHOUT_MAGIC, compress, decompress
from analytics.calculations.records import (
    Arrival,
    InvalidEvent,
    Reason,
    Rejection,
    TooLarge,
)
from analytics.calculations.wire_format import uuid_as_sent
from analytics.capture import answers, ledger, refused, retention_period
from analytics.capture.group_commit import COMMITTED, Commit, GroupCommit
from analytics.capture.ledger import LedgerLine
from analytics.capture.project_keys import (
    Key,
    ProjectKeys,
    RateLimiter,
    new_server_token,
    stored_token,
)
from analytics.models import EventOutcome, InboxRequest, KeyKind, ProjectKey
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


class UnknownKey(ValueError):
    """The request's token belongs to no project key in use."""

    def __init__(self) -> None:
        super().__init__("api_key: unknown or revoked")


class Overloaded(RuntimeError):
    """The inbox is full."""


class RateLimited(RuntimeError):
    """The key exceeds its rate limit in this second."""


class QuotaExceeded(RuntimeError):
    """The key has used up its daily quota: the events were dropped."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A request that reached a capture endpoint. `body` may still be compressed."""

    body: bytes
    received_at: datetime
    encoding: str = ""  # Content-Encoding
    token: str = ""  # from a header (v1)
    sent_at: datetime | None = None  # by the sender's clock, where it is not in the body
    sdk: str = ""  # v1
    exposes_token: bool = False  # a page or an address contains it


@dataclass(frozen=True, slots=True)
class Accepted:
    """v1's results and details by uuid, which are right once the commit is done.

    ``ok``, ``warning`` (stored with a change), ``drop`` or ``retry`` (to be sent again).
    """

    results: dict[str, tuple[str, str]]
    commit: Commit = COMMITTED
    is_rate_limited: bool = False


def accept(submission: Submission) -> Commit:
    """Have a request committed to the inbox.

    Raise `InvalidEvent` where it holds no usable event (its events are then kept as rejected),
    `TooLarge`, `BadToken`, `UnknownKey`, `Overloaded`, `RateLimited` or `QuotaExceeded`.
    """
    envelope = _open(submission)
    key = _admit(submission, envelope)
    arrival = _arrival(key, submission, envelope)
    rejected: list[Rejection] = []
    for event in answers.read(envelope.events, arrival):
        if not isinstance(event, Rejection):
            break  # one good event is enough; ingest reads them all
        rejected.append(event)
    else:
        refused.keep(key.id, arrival, rejected)
        raise _error(rejected[0])
    return _insert(key, submission, envelope)


def accept_each(submission: Submission) -> Accepted:
    """Have a request committed to the inbox, and return the result of each event.

    Raises what `accept` does, but neither for bad events nor beyond the quota or the rate limit.
    """
    envelope = _open(submission)
    uuids = [uuid_as_sent(raw) for raw in envelope.events]
    try:
        key = _admit(submission, envelope)
    except QuotaExceeded:
        return Accepted(_all(uuids, "drop", "over the daily quota of the key"))
    except RateLimited:  # SDKs do not send the request again, but these events
        results = _all(uuids, "retry", "too many events per second")
        return Accepted(results, is_rate_limited=True)
    arrival = _arrival(key, submission, envelope)
    answered = answers.answer(envelope.events, arrival)
    results = _by_uuid(uuids, answered.results)
    if len(answered.rejected) == len(answered.results):
        refused.keep(key.id, arrival, answered.rejected)
        return Accepted(results)
    return Accepted(results, _insert(key, submission, envelope))


def _all(uuids: Sequence[str], result: str, details: str) -> dict[str, tuple[str, str]]:
    return _by_uuid(uuids, [(result, details)] * len(uuids))


def _by_uuid(
    uuids: Sequence[str], results: Sequence[tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    return {uuid: result for uuid, result in zip(uuids, results, strict=True) if uuid}


def _open(submission: Submission) -> Envelope:
    envelope = open_body(submission.body, encoding=submission.encoding, token=submission.token)
    if not envelope.events:
        raise InvalidEvent(Reason.MISSING_FIELD, "batch: empty")
    return envelope


def _admit(submission: Submission, envelope: Envelope) -> Key:
    """Return the request's key, if it may send these events now; count refused events."""
    token = check_token(submission.token or envelope.token)
    key = project_keys.find(token, submission.received_at)
    if key is None:
        raise UnknownKey
    if key.is_server and submission.exposes_token:
        raise BadToken("api_key: a server key, seen in a page or an address: it has been published")
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


def _arrival(key: Key, submission: Submission, envelope: Envelope) -> Arrival:
    oldest = retention_period.oldest(submission.received_at, is_claim=not key.is_server)
    arrival = Arrival(submission.received_at, submission.sent_at, submission.sdk, oldest)
    return arrival.with_sent_at(envelope.sent_at)


def _insert(key: Key, submission: Submission, envelope: Envelope) -> Commit:
    body = submission.body
    if key.is_server:  # its token is a secret
        body = decompress(body, encoding=submission.encoding)
        body = body.replace(envelope.token.encode(), b"") if envelope.token else body
    elif submission.encoding in WITHOUT_MAGIC:
        body = decompress(body, encoding=submission.encoding)
    return requests.insert(
        [
            bigint(key.id),
            timestamptz(submission.received_at),
            compress(body),
            integer(len(envelope.events)),
            integer(envelope.size),
            timestamptz(submission.sent_at) if submission.sent_at else None,
            submission.sdk.encode(),
        ],
    )


def _error(first: Rejection) -> InvalidEvent | TooLarge:
    if first.reason is Reason.TOO_LARGE:
        return TooLarge()
    return InvalidEvent(first.reason, first.detail)


def _count_limited(key: Key, submission: Submission, events: int, limit: str) -> None:
    """Count events that were not acknowledged, without waiting for the disk in a flood of them."""
    hour = ledger.start_of_hour(submission.received_at)
    line = LedgerLine(hour, key.id, EventOutcome.LIMITED, limit)
    with brief_transaction() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        ledger.add(cursor, {line: events})


@transaction.atomic
def ensure_default_project_key() -> ProjectKey:
    """Return the key of a new installation, creating it where it is missing."""
    key, _ = ProjectKey.objects.get_or_create(name=DEFAULT_KEY_NAME)
    return key


def new_server_key(name: str) -> tuple[ProjectKey, str]:
    """Create a server key; return it with its token, of which only a hash is stored."""
    token = new_server_token()
    return ProjectKey.objects.create(
        name=name, kind=KeyKind.SERVER, token=stored_token(token)
    ), token


def revoke(keys: QuerySet[ProjectKey], *, now: datetime) -> int:
    """Refuse events with these keys from now on, and return how many keys were in use."""
    revoked = keys.filter(revoked_at=None).update(revoked_at=now)
    project_keys.forget()  # other processes do so within seconds
    return revoked


def now() -> datetime:
    return datetime.now(UTC)
