"""Keep requests that are not acknowledged because none of their events can be stored."""

from collections import Counter
from collections.abc import Sequence

from analytics.calculations.records import Arrival, Rejection
from analytics.capture import ledger, rejections
from analytics.capture.ledger import LedgerLine
from analytics.models import EventOutcome
from common.postgres import brief_transaction


def keep(key_id: int, arrival: Arrival, rejected: Sequence[Rejection]) -> None:
    """Keep a request's events for the admin, unless they name an erased id, and count them."""
    erased = rejections.naming_erased(rejected)
    kept = [event for event, is_erased in zip(rejected, erased, strict=True) if not is_erased]
    reasons: Counter[str] = Counter()
    for rejection in rejected:
        reasons[rejection.reason] += rejection.events
    hour = ledger.start_of_hour(arrival.received_at)
    with brief_transaction() as cursor:
        rejections.record(
            rejections.of_request(
                kept, arrival, project_key_id=key_id, outcome=EventOutcome.REFUSED
            )
        )
        ledger.add(
            cursor,
            {
                LedgerLine(hour, key_id, EventOutcome.REFUSED, reason): events
                for reason, events in reasons.items()
            },
        )
