"""Forward what was captured to PostHog: in order, at least once, whatever state PostHog is in."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from posthog.request import APIError, batch_post, determine_server_host

from analytics.calculations.records import Holds, Reason, Rejection
from analytics.capture import rejections
from analytics.forwarding import outbox
from common.calculations.backoff import backoff
from common.locks import Lock, Locked, session_lock

logger = logging.getLogger(__name__)

TIMEOUT = 15  # seconds until PostHog has to begin its answer
SCHEDULED_RUN = 300  # seconds after which a scheduled run leaves the rest to the next one
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_ASKED_FOR = timedelta(days=1)  # by a Retry-After

# Any other 4xx means the events; these mean the key, the address or the moment.
_NO_VERDICT = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 425, 426, 429})


class NotForwarded(RuntimeError):
    """PostHog did not take what it was sent; it waits for another attempt."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after  # seconds


class _Refused(Exception):
    """PostHog will never take a request as it is."""


def forward_due(*, now: datetime) -> None:
    """Forward what waits, unless another process does or a failure asks for patience."""
    next_attempt_at = outbox.state().next_attempt_at
    if not settings.PLUMBLINE_FORWARDING or (next_attempt_at and now < next_attempt_at):
        return
    try:
        forward_backlog(seconds=SCHEDULED_RUN, patience=1)
    except Locked:
        logger.info("Another process forwards already")
    except NotForwarded:
        pass  # noted, for the next attempt and for people


def forward_backlog(
    *,
    progress: Callable[[int], None] = lambda _: None,
    seconds: float = float("inf"),
    patience: int = 10,
) -> int:
    """Forward what waits now, oldest first, and return how many events left the backlog.

    `progress` is told that number after each request; no request starts after `seconds`. Raise
    `NotForwarded` at the first failure, or `Locked` where another process forwards for longer
    than `patience` seconds.
    """
    until, forwarded = monotonic() + seconds, 0
    with session_lock(Lock.FORWARDING, patience=patience), requests.Session() as session:
        session.max_redirects = 0  # a redirected POST arrives as a GET, without its events
        newest = outbox.last_id()
        while monotonic() < until and (batch := outbox.oldest(up_to=newest)):
            try:
                _forward(session, batch)
            except NotForwarded as failure:
                _note_failure(failure)
                raise
            forwarded += len(batch.events)
            progress(forwarded)
    return forwarded


def pause(failures: int, retry_after: float | None) -> timedelta:
    """Return how long to wait after that many failures in a row: ever longer, or as asked for."""
    asked_for = timedelta()
    if retry_after is not None and retry_after > 0:  # not NaN either
        asked_for = timedelta(seconds=min(retry_after, _LONGEST_ASKED_FOR.total_seconds()))
    return max(asked_for, backoff(failures, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))


def _forward(session: requests.Session, batch: outbox.OutboxBatch) -> None:
    """Send a batch; it leaves the backlog in the commit that notes the success."""
    refused = _deliver(session, batch.events)
    taken = len(batch.events) - len(refused)
    now_state = outbox.state()
    if not taken and now_state.last_success_at is None:
        # Nothing was ever taken: more likely this is not PostHog than that all events are bad.
        raise NotForwarded(refused[0].detail)
    with transaction.atomic():
        outbox.remove(batch)
        rejections.record(map(rejections.unforwarded, refused))
        if taken:
            now_state.forwarded += taken
            now_state.last_success_at = timezone.now()
        now_state.failures, now_state.last_error = 0, ""
        now_state.failing_since = now_state.next_attempt_at = None
        now_state.save()


def _deliver(session: requests.Session, events: Sequence[bytes]) -> list[Rejection]:
    """Send events and return those that PostHog refuses for good, found by halving."""
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
    # Our clock has corrected the time; PostHog is not to correct it again.
    decoded["properties"]["$ignore_sent_at"] = True
    return decoded


def _post(session: requests.Session, events: Sequence[dict[str, Any]]) -> None:
    host = determine_server_host(settings.POSTHOG_HOST)
    try:
        response = batch_post(
            settings.POSTHOG_API_KEY,
            host,
            gzip=True,
            timeout=TIMEOUT,
            session=session,
            batch=events,
        )
    except APIError as error:
        status = int(error.status)
        text = " ".join(f"{host} answers {status}: {error.message}".split())[:300]
        if 400 <= status < 500 and status not in _NO_VERDICT:
            raise _Refused(text) from error
        raise NotForwarded(text, error.retry_after) from error
    except requests.TooManyRedirects as error:
        raise NotForwarded(f"{host} redirects; set POSTHOG_HOST to where it leads") from error
    except (OSError, ValueError) as error:  # everything that requests raises
        raise NotForwarded(f"{host} does not answer: {type(error).__name__}") from error
    _check(response, host)


def _check(response: requests.Response, host: str) -> None:
    """Raise `NotForwarded` where a 200 does not mean that the events were taken."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NotForwarded(f"{host} answers 200, but not as PostHog does")
    if "events" in (answer.get("quota_limited") or []):
        raise NotForwarded(f"{host} drops events: the quota of its project is used up")


def _note_failure(failure: NotForwarded) -> None:
    now, now_state = timezone.now(), outbox.state()
    now_state.failures += 1
    now_state.failing_since = now_state.failing_since or now
    now_state.last_error = str(failure).replace("\0", "\ufffd")
    now_state.next_attempt_at = now + pause(now_state.failures, failure.retry_after)
    now_state.save()
    # Without the text: an answer may repeat what it was sent.
    logger.warning(
        "Not forwarded, attempt %d; the next one in %s",
        now_state.failures,
        now_state.next_attempt_at - now,
    )
