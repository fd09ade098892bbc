"""The ingestion ledger: the outcome of every event that arrived, by hour, key and reason."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

import psycopg
from django.db import connection

from analytics.models import CaptureHour, EventOutcome, InboxRequest, ProjectKey

WAITING = "waiting"
_WITH_REASON = ("rejected", "changed", "refused", "limited")

# One statement, so that no event moves from the inbox to the ledger between two reads.
_READ = f"""
SELECT hour, coalesce(key.name, ''), project_key_id, outcome, reason, events FROM (
    SELECT hour, project_key_id, outcome, reason, events FROM analytics_capturehour
    WHERE hour >= %(start)s AND hour < %(end)s
    UNION ALL
    SELECT date_trunc('hour', received_at, 'UTC'), project_key_id, '{WAITING}', '',
        sum(events)::bigint
    FROM analytics_inboxrequest WHERE received_at >= %(start)s AND received_at < %(end)s
    GROUP BY 1, 2
) AS arrived
LEFT JOIN analytics_projectkey AS key ON key.id = project_key_id
WHERE %(key)s::bigint IS NULL OR project_key_id = %(key)s
"""

Grain = Literal["hour", "day"]


class LedgerLine(NamedTuple):
    """A ledger line's key; `hour` is the hour of arrival."""

    hour: datetime
    project_key_id: int
    outcome: EventOutcome
    reason: str = ""


@dataclass
class LedgerEntry:
    """The outcomes of the events that arrived in an hour or a day (UTC) with a key.

    Acknowledged events are stored, duplicates, rejected, erased, or still waiting; refused and
    limited events were not acknowledged. Changed ones are among the stored: properties of their
    person or group were refused, or their time was unusable.
    """

    start: datetime
    end: datetime
    project_key: str = ""  # its name
    project_key_id: int | None = None  # None: all keys
    accepted: int = 0  # acknowledged
    stored: int = 0
    duplicate: int = 0
    erased: int = 0  # dropped: they name an id that was erased
    waiting: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # by reason, as the next three
    changed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    limited: Counter[str] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        return self.missing == 0

    @property
    def missing(self) -> int:
        """Return the number of acknowledged events without outcome: 0 unless something is wrong."""
        outcomes = self.stored + self.duplicate + self.erased + self.rejected.total()
        return self.accepted - outcomes - self.waiting

    def add(self, outcome: str, reason: str, events: int) -> None:
        """Add the events of one outcome and reason."""
        if outcome in _WITH_REASON:
            if events:  # a line may have dropped to 0
                getattr(self, outcome)[reason] += events
            return
        setattr(self, outcome, getattr(self, outcome) + events)
        if outcome == WAITING:  # accepted events enter the ledger only at ingest
            self.accepted += events

    def include(self, other: "LedgerEntry") -> None:
        """Add another entry, ignoring its time and key."""
        for name in ("accepted", "stored", "duplicate", "erased", "waiting"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _WITH_REASON:
            getattr(self, name).update(getattr(other, name))


def start_of_hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class LedgerReport:
    periods: list[LedgerEntry]
    total: LedgerEntry


def add(cursor: psycopg.Cursor, amounts: Mapping[LedgerLine, int]) -> None:
    """Add numbers of events to the ledger."""
    rows = sorted((*line, events) for line, events in amounts.items() if events)
    if not rows:
        return
    cursor.execute(
        """
        INSERT INTO analytics_capturehour AS ledger (hour, project_key_id, outcome, reason, events)
        SELECT * FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])
        ON CONFLICT (hour, project_key_id, outcome, reason)
        DO UPDATE SET events = ledger.events + excluded.events
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )


def entries(
    *, first: date, last: date, grain: Grain = "day", project_key_id: int | None = None
) -> list[LedgerEntry]:
    """Return the entries from `first` to `last` (UTC days), newest first, by time and key name."""
    start, end = _midnight(first), _midnight(last + timedelta(days=1))
    length = timedelta(hours=1) if grain == "hour" else timedelta(days=1)
    by_time_and_key: dict[tuple[datetime, str], LedgerEntry] = {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"start": start, "end": end, "key": project_key_id})
        for hour, key, key_id, outcome, reason, events in cursor.fetchall():
            begin = hour if grain == "hour" else hour.replace(hour=0)
            entry = by_time_and_key.setdefault(
                (begin, key), LedgerEntry(begin, begin + length, key, key_id)
            )
            entry.add(outcome, reason, events)
    newest_first = sorted(
        by_time_and_key.items(), key=lambda item: (-item[0][0].timestamp(), item[0][1])
    )
    return [entry for _, entry in newest_first]


def total(entries_: Iterable[LedgerEntry], *, first: date, last: date) -> LedgerEntry:
    """Return the sum of the entries from `first` to `last`."""
    whole = LedgerEntry(_midnight(first), _midnight(last + timedelta(days=1)))
    for entry in entries_:
        whole.include(entry)
    return whole


def report(
    *, first: date, last: date, grain: Grain = "day", project_key: ProjectKey | None = None
) -> LedgerReport:
    """Return the outcomes of the events of these days (UTC), and the total."""
    key_id = project_key.pk if project_key else None
    periods = entries(first=first, last=last, grain=grain, project_key_id=key_id)
    return LedgerReport(periods, total(periods, first=first, last=last))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def anything_arrived() -> bool:
    return CaptureHour.objects.exists() or InboxRequest.objects.exists()
