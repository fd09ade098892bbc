"""The values that reading events produces: records, rejections, and the limits of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from uuid import UUID

import msgspec

MAX_NAME = 200  # characters of an event name or distinct id
MAX_EVENT = 2 * 1024 * 1024  # bytes
MAX_BODY = 20 * 1024 * 1024  # bytes, decompressed
MAX_EVENTS = 50_000  # in one body
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

# The events that name a second id of the same person, and the property that holds it.
OTHER_ID = {
    "$identify": "$anon_distinct_id",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}


IDENTITY_HASH = "$identity_hash"  # the property that proves who sends an event
IGNORED_TIMESTAMP = "$ignored_timestamp"  # the time that an event came with, if it was unusable


class Proof(IntEnum):
    """What vouches for an event, from nothing to a member of staff."""

    CLAIMED = 0  # anyone with the public key can send it
    VERIFIED = 1  # signed for its distinct id: proves who sends, not that what they say is true
    PROVED = 2  # from the backend, by a secret key, or from Stripe
    STAFF = 3


class Reason(StrEnum):
    """Why an event was not stored."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    TOO_LARGE = "too_large"
    UUID_REUSED = "uuid_reused"
    UNSTORABLE = "unstorable"
    FORWARDING_REFUSED = "forwarding_refused"  # stored, but not accepted by PostHog


class Holds(StrEnum):
    """What the payload of a rejection contains."""

    EVENT = "event"  # as received
    READ_EVENT = "read_event"  # already read: time corrected, fields in their final form
    REQUEST = "request"  # a whole unreadable request


class InvalidEvent(ValueError):
    """An event, or a whole body, that cannot be used; the detail names the field."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def rejection(self, raw: bytes | msgspec.Raw, position: int) -> "Rejection":
        """Return the rejection of the event at this position in its request."""
        return Rejection(self.reason, self.detail, bytes(raw), position=position)


class TooLarge(ValueError):
    """A body beyond `MAX_BODY` or `MAX_EVENTS`, or an event beyond `MAX_EVENT`, decompressed."""

    def __init__(self) -> None:
        super().__init__(
            f"body: larger than 20 MB or {MAX_EVENTS:,} events, or an event larger than 2 MB"
        )


class EventRecord(msgspec.Struct, frozen=True, gc=False):
    """An event that can be stored. `timestamp` is in UTC; `properties` is a JSON object."""

    uuid: bytes  # 16 of them
    event: str
    distinct_id: str
    timestamp: datetime
    properties: bytes
    line: int | None = None  # in an imported file; None: captured
    other_id: str | None = None  # another id of the same person, according to the event
    profile: bool = True  # whether the event creates or changes a person's profile
    proof: Proof = Proof.CLAIMED
    project_key_id: int | None = None
    ignores_timestamp: bool = False  # it has the time of its arrival instead
    is_history: bool = False  # it may come after events that are later than itself

    @property
    def is_imported(self) -> bool:
        """Whether the event is history from a file, where its time is part of its content."""
        return self.line is not None

    @property
    def json(self) -> bytes:
        """Return the event as a client would send it."""
        return msgspec.json.encode(
            {
                "uuid": UUID(bytes=self.uuid),
                "event": self.event,
                "distinct_id": self.distinct_id,
                "timestamp": self.timestamp,
                "properties": msgspec.Raw(self.properties),
            }
        )


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be stored, or a request that cannot be read."""

    reason: Reason
    detail: str
    payload: bytes
    line: int | None = None
    position: int = 0  # in its request
    holds: Holds = Holds.EVENT
    events: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from. `identity_secrets` verify what a public key sends."""

    project_key_id: int | None = None
    proof: Proof = Proof.CLAIMED
    identity_secrets: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a request says about all its events. `oldest` is the end of the retention period."""

    received_at: datetime
    sent_at: datetime | None = None  # by the sender's clock
    sdk: str = ""  # of v1, such as "posthog-python/7.91.1"
    oldest: datetime = EARLIEST
    source: Source = field(default_factory=Source)
    is_history: bool = False

    def with_sent_at(self, sent_at: datetime | None) -> "Arrival":
        """Return the arrival with the body's time of sending, unless a header gave one."""
        return self if self.sent_at or not sent_at else replace(self, sent_at=sent_at)

    def of_history(self, *, is_history: bool) -> "Arrival":
        """Return the arrival of events that the body says are history."""
        return replace(self, is_history=True) if is_history else self
