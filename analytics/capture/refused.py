"""Keep requests that are not acknowledged because none of their events can be stored."""

from collections import Counter
from collections.abc import Sequence

from analytics.calculations.records import Arrival, Holds, Rejection
from analytics.capture import ledger, rejections
from analytics.capture.ledger import LedgerLine
from analytics.models import EventOutcome
from common.postgres import brief_transaction

MOST_ROWS = 100  # a request of more events is kept as a whole: a row for each takes seconds


def keep(key_id: int, arrival: Arrival, rejected: Sequence[Rejection], body: bytes) -> None:
    """Keep refused events for the admin and count them; `body` is what was sent, decompressed."""
    if len(rejected) > MOST_ROWS:
        rejected = [_whole(rejected, body)]
    reasons: Counter[str] = Counter()
    for rejection in rejected:
        reasons[rejection.reason] += rejection.events
    hour = ledger.start_of_hour(arrival.received_at)
    with brief_transaction() as cursor:
        rejections.record(
            rejections.captured(
                rejection, arrival, project_key_id=key_id, outcome=EventOutcome.REFUSED
            )
            for rejection in rejected
        )
        ledger.add(
            cursor,
            {
                LedgerLine(hour, key_id, EventOutcome.REFUSED, reason): events
                for reason, events in reasons.items()
            },
        )


def _whole(rejected: Sequence[Rejection], body: bytes) -> Rejection:
    """Return one rejection of the request, with the reason of its first event."""
    first = rejected[0]
    return Rejection(first.reason, first.detail, body, holds=Holds.REQUEST, events=len(rejected))
