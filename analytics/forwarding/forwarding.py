"""Forward captured events to PostHog: in order and at least once, even after outages."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from posthog.request import APIError, batch_post, determine_server_host

from analytics.calculations.records import Holds, Reason, Rejection
from analytics.capture import rejections
from analytics.forwarding import outbox
from common.calculations.backoff import backoff
from common.locks import Lock, Locked, session_lock
from common.outgoing import BoundedSession, NoResponse, Response

logger = logging.getLogger(__name__)

TIMEOUT = 30  # seconds for a request and its response
SCHEDULED_RUN = 300  # seconds after which a scheduled run leaves the rest to the next one
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_RETRY_AFTER = timedelta(days=1)  # the longest pause that PostHog may request

# Any other 4xx concerns the events; these concern the key, the address or the current load.
_NOT_ABOUT_EVENTS = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 425, 426, 429})


class NotForwarded(RuntimeError):
    """PostHog did not accept the events; they wait for another attempt."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after  # seconds


class _Refused(Exception):
    """PostHog will never accept the request as it is."""


def forward_due(*, now: datetime) -> None:
    """Forward the backlog, unless another process does or the pause after a failure is not over."""
    next_attempt_at = outbox.state().next_attempt_at
    if not settings.PLUMBLINE_FORWARDING or (next_attempt_at and now < next_attempt_at):
        return
    try:
        forward_backlog(seconds=SCHEDULED_RUN, patience=1)
    except Locked:
        logger.info("Another process is already forwarding")
    except NotForwarded:
        pass  # recorded, for the next attempt and the capture health page


def forward_backlog(
    *,
    progress: Callable[[int], None] = lambda _: None,
    seconds: float = float("inf"),
    patience: int = 10,
) -> int:
    """Forward the current backlog, oldest first, and return the number of events that left it.

    `progress` is called with that number after each request; no request starts after `seconds`.
    Raise `NotForwarded` at the first failure, or `Locked` where another process forwards for
    longer than `patience` seconds.
    """
    until, forwarded = monotonic() + seconds, 0
    with session_lock(Lock.FORWARDING, patience=patience), BoundedSession(TIMEOUT) as session:
        newest = outbox.last_id()
        while monotonic() < until and (batch := outbox.oldest(up_to=newest)):
            try:
                _forward(session, batch)
            except NotForwarded as failure:
                _record_failure(failure)
                raise
            forwarded += len(batch.events)
            progress(forwarded)
    return forwarded


def pause(failures: int, retry_after: float | None) -> timedelta:
    """Return the pause after failures in a row: growing, and at least PostHog's `retry_after`."""
    requested = timedelta()
    if retry_after is not None and retry_after > 0:  # not NaN either
        requested = timedelta(seconds=min(retry_after, _LONGEST_RETRY_AFTER.total_seconds()))
    return max(requested, backoff(failures, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))


def _forward(session: BoundedSession, batch: outbox.OutboxBatch) -> None:
    """Send a batch; it leaves the backlog in the commit that records the success."""
    refused = _deliver(session, batch.events)
    accepted = len(batch.events) - len(refused)
    now_state = outbox.state()
    if not accepted and now_state.last_success_at is None:
        # Nothing was ever accepted: probably this is not PostHog, rather than all events being bad.
        raise NotForwarded(refused[0].detail)
    with transaction.atomic():
        outbox.remove(batch)
        rejections.record(map(rejections.unforwarded, refused))
        if accepted:
            now_state.forwarded += accepted
            now_state.last_success_at = timezone.now()
        now_state.failures, now_state.last_error = 0, ""
        now_state.failing_since = now_state.next_attempt_at = None
        now_state.save()


def _deliver(session: BoundedSession, events: Sequence[bytes]) -> list[Rejection]:
    """Send events and return those that PostHog refuses permanently, isolated by halving."""
    try:
        _post(session, [_to_send(event) for event in events])
    except (_Refused, RecursionError) as error:
        if len(events) == 1:
            return [
                Rejection(Reason.FORWARDING_REFUSED, str(error), events[0], holds=Holds.READ_EVENT)
            ]
        middle = len(events) // 2
        return _deliver(session, events[:middle]) + _deliver(session, events[middle:])
    return []


def _to_send(event: bytes) -> dict[str, Any]:
    try:
        decoded: dict[str, Any] = json.loads(event)
    except ValueError as error:  # a number with thousands of digits
        raise _Refused(f"not sent: {error}") from error
    # The time is already corrected to our clock; PostHog must not correct it again.
    decoded["properties"]["$ignore_sent_at"] = True
    return decoded


def _post(session: BoundedSession, events: Sequence[dict[str, Any]]) -> None:
    host = determine_server_host(settings.POSTHOG_HOST)
    try:
        response = batch_post(
            settings.POSTHOG_API_KEY, host, gzip=True, session=session, batch=events
        )
    except APIError as error:
        status = int(error.status)
        if 300 <= status < 400:
            raise NotForwarded(
                f"{host} redirects; set POSTHOG_HOST to the final address"
            ) from error
        text = " ".join(f"{host} responded with {status}: {error.message}".split())[:300]
        if 400 <= status < 500 and status not in _NOT_ABOUT_EVENTS:
            raise _Refused(text) from error
        raise NotForwarded(text, error.retry_after) from error
    except NoResponse as error:
        raise NotForwarded(f"{host} is not responding: {error}") from error
    except (OSError, ValueError) as error:  # what requests raises before it connects
        raise NotForwarded(f"{host} cannot be called: {type(error).__name__}") from error
    _check(response, host)


def _check(response: Response, host: str) -> None:
    """Raise `NotForwarded` where a 200 does not mean that the events were accepted."""
    try:
        content = response.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NotForwarded(f"{host} responded with 200, but not as PostHog does")
    if "events" in (content.get("quota_limited") or []):
        raise NotForwarded(f"{host} drops events: the quota of its project is used up")


def _record_failure(failure: NotForwarded) -> None:
    now, now_state = timezone.now(), outbox.state()
    now_state.failures += 1
    now_state.failing_since = now_state.failing_since or now
    now_state.last_error = str(failure).replace("\0", "\ufffd")
    now_state.next_attempt_at = now + pause(now_state.failures, failure.retry_after)
    now_state.save()
    # Without the text: a response may repeat the events.
    logger.warning(
        "Not forwarded after attempt %d; next attempt in %s",
        now_state.failures,
        now_state.next_attempt_at - now,
    )
