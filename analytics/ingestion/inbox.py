"""Claim acknowledged requests in the inbox, many at a time, and store their events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from django.db import transaction
from django.db.models import Count, Min

from analytics.ingestion.storing import Request, store
from analytics.models import InboxRequest
from analytics.rollups.person_cache import PersonCache
from common.postgres import raw_cursor
from common.read_once import read_once

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


def depth() -> int:
    """Return the number of acknowledged requests that are waiting."""
    return InboxRequest.objects.count()


@read_once
def waiting() -> tuple[int, datetime | None]:
    """Return the number of acknowledged requests that are waiting, and the oldest one's arrival."""
    totals = InboxRequest.objects.aggregate(requests=Count("pk"), since=Min("received_at"))
    return totals["requests"], totals["since"]
