"""Retries of many rejected events: staff request them, and a worker does them."""

import logging
from datetime import datetime
from time import monotonic

from django.db.models import QuerySet

from analytics.calculations.records import Holds
from analytics.ingestion import retrying
from analytics.models import RejectedEvent
from common import queueing
from common.locks import try_session_lock

logger = logging.getLogger(__name__)

AT_ONCE = 20  # events that a request of the admin may wait for
SECONDS = 50  # after which a run of the scheduled job starts no more rows


def is_small(rows: QuerySet[RejectedEvent]) -> bool:
    """Return whether retrying rows takes so little that a person can wait for it."""
    amounts = rows.order_by().values_list("events", "holds")[: AT_ONCE + 1]
    # A whole request only returns to the inbox.
    return sum(1 if holds == Holds.REQUEST else events for events, holds in amounts) <= AT_ONCE


def request_retry(rows: QuerySet[RejectedEvent], *, now: datetime) -> int:
    """Have a worker retry rows, and return how many there are."""
    requested = rows.order_by().update(retry_at=now)
    queueing.enqueue("analytics.tasks.retry_rejected_events")
    return requested


def waiting_rows() -> int:
    """Return how many rows wait for a worker to retry them."""
    return RejectedEvent.objects.exclude(retry_at=None).count()


def retry_requested() -> None:
    """Retry the rows that staff requested, unless another process does.

    One that fails stays as it is, and its request is over. What is left after `SECONDS` waits for
    the next run.
    """
    until, waiting = monotonic() + SECONDS, RejectedEvent.objects.exclude(retry_at=None)
    with try_session_lock("retry of rejected events") as acquired:
        while acquired and monotonic() < until:
            oldest = waiting.order_by("retry_at", "pk").values_list("pk", flat=True)
            if not (ids := list(oldest[:AT_ONCE])):
                return
            rows = RejectedEvent.objects.filter(pk__in=ids)
            try:
                retrying.retry(rows)
            except Exception:
                logger.exception("Rejected events could not be retried")
            rows.update(retry_at=None)
