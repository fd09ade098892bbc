"""Turn acknowledged requests into stored events."""

from django.db import connection, transaction

from analytics import ingest
from analytics.calculations import wire
from analytics.calculations.wire import EventRecord, Refused, Rejection
from analytics.models import InboxRequest

REQUESTS_PER_BATCH = 200

_CLAIM = """
DELETE FROM analytics_inboxrequest WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM analytics_inboxrequest ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
)) RETURNING id, project_key_id, received_at, body
"""


@transaction.atomic
def process_batch(limit: int = REQUESTS_PER_BATCH) -> int:
    """Store the oldest unclaimed requests and return how many there were.

    The requests leave the inbox in the commit that stores their events, so that a crash at any
    moment loses nothing and counts nothing twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [limit])
        rows = sorted(cursor.fetchall())
    events: list[EventRecord] = []
    for _, project_key_id, received_at, body in rows:
        try:
            parsed = wire.parse(bytes(body), received_at=received_at)
            rejections = parsed.rejections
            events += parsed.events
        except Refused as error:  # only if the rules became stricter since it was acknowledged
            rejections = [Rejection(error.reason, error.detail, bytes(body))]
        ingest.record_rejections(rejections, project_key_id=project_key_id)
    ingest.record_rejections(ingest.store(events).rejections)
    return len(rows)


def depth() -> int:
    """Return how many acknowledged requests wait."""
    return InboxRequest.objects.count()
