"""The health of capture: waiting requests, rejected events, problems and their remedies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min
from django.template.defaultfilters import pluralize

from analytics.capture import erased_ids
from analytics.forwarding import outbox
from analytics.forwarding.outbox import Backlog
from analytics.ingestion import inbox, partitions
from analytics.models import Erasure, ForwardingState, RejectedEvent
from analytics.rollups import definitions
from common.calculations.health import Component, Health
from common.formatting import counted, number

INGEST_PATIENCE = timedelta(seconds=60)
ERASURE_PATIENCE = timedelta(hours=1)
FORWARDING_PATIENCE = timedelta(minutes=10)
REJECTED_WITHIN = timedelta(hours=1)

_HEALTH_PAGE = "analytics:capture-health-page"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in sentences, and the remedy: a command, or a page with details.

    `page` is the name of a URL without parameters.
    """

    summary: str
    why: str = ""
    since: datetime | None = None
    remedy: str = ""
    command: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The number of events rejected for a reason, and the time of the first."""

    reason: str
    events: int
    since: datetime

    @property
    def label(self) -> str:
        return self.reason.replace("_", " ")


@dataclass(frozen=True, slots=True)
class CaptureHealth:
    """The health of capture at a time. Every number is read on each call, cheaply."""

    now: datetime
    waiting: int  # requests in the inbox
    waiting_since: datetime | None
    backlog: Backlog  # of forwarding
    forwarding: ForwardingState
    missing_partitions: Sequence[date]  # this month and the next
    rejected: Sequence[Rejected]  # recently, the most frequent reason first
    problems: Sequence[Problem] = ()


def capture_health(
    now: datetime,
    *,
    patience: timedelta = INGEST_PATIENCE,
    rejected_within: timedelta = REJECTED_WITHIN,
) -> CaptureHealth:
    """Return the health of capture; requests may wait in the inbox for `patience`."""
    ahead = partitions.months_ahead(now)
    backlog, state = outbox.backlog(), outbox.state()
    waiting, waiting_since = inbox.waiting()
    missing = partitions.missing(ahead[:2])
    rejected = _rejected(now, rejected_within)
    return CaptureHealth(
        now=now,
        waiting=waiting,
        waiting_since=waiting_since,
        backlog=backlog,
        forwarding=state,
        missing_partitions=missing,
        rejected=rejected,
        problems=(
            *_inbox_problems(waiting, waiting_since, now - patience),
            *_forwarding_problems(backlog, state, now - FORWARDING_PATIENCE),
            *_partition_problems(missing),
            *_rejection_problems(rejected),
            *_erasure_problems(now - ERASURE_PATIENCE),
        ),
    )


def capture(now: datetime) -> Iterator[Component]:
    """Check the health of capture."""
    health = capture_health(now)
    for problem in health.problems:
        detail = " ".join(filter(None, [problem.summary, problem.why]))
        remedy = " ".join(filter(None, [problem.remedy, problem.command]))
        yield Component("capture", Health.WARNING, detail, problem.since, remedy)
    if not health.problems:
        waiting = f"{counted(health.waiting, 'request')}"
        yield Component("capture", Health.OK, f"{waiting} waiting in the inbox.")


def rollup_problems() -> list[Problem]:
    """Return the reasons why the numbers cannot be relied on."""
    why = definitions.rebuild_needed()
    return [Problem("The numbers are out of date.", why)] if why else []


def _inbox_problems(waiting: int, since: datetime | None, before: datetime) -> Iterator[Problem]:
    if since is None or since > before:
        return
    yield Problem(
        f"{counted(waiting, 'request')} wait{pluralize(waiting, 's,')} in the inbox.",
        "Nothing is lost, but ingest is not running or cannot keep up.",
        since,
        "Start it, or run another one:",
        "python manage.py ingest",
        "admin:analytics_inboxrequest_changelist",
    )


def _forwarding_problems(
    backlog: Backlog, state: ForwardingState, before: datetime
) -> Iterator[Problem]:
    if not settings.PLUMBLINE_FORWARDING or backlog.since is None:
        return
    waiting = counted(backlog.events, "event")
    command = "python manage.py forward_backlog"
    if state.failures:
        yield Problem(
            f"Events do not reach PostHog: {waiting} wait{pluralize(backlog.events, 's,')}.",
            f"{state.last_error}.",
            state.failing_since,
            "It is retried automatically. To retry now:",
            command,
            _HEALTH_PAGE,
        )
    elif backlog.since < before and not (state.last_success_at and state.last_success_at > before):
        yield Problem(
            f"Forwarding is not running: {waiting} wait{pluralize(backlog.events, 's,')}.",
            "A worker and beat must be running.",
            backlog.since,
            "To forward without them:",
            command,
            _HEALTH_PAGE,
        )


def _partition_problems(missing: Sequence[date]) -> Iterator[Problem]:
    if not missing:
        return
    months = ", ".join(f"{month:%B %Y}" for month in missing)
    yield Problem(
        f"The event table has no partition for {months}.",
        "The daily job failed (see its log), or a worker and beat are not running.",
        None,
        "To create it now:",
        "python manage.py make_partitions",
        _HEALTH_PAGE,
    )


def _rejection_problems(rejected: Sequence[Rejected]) -> Iterator[Problem]:
    if not rejected:
        return
    events = sum(row.events for row in rejected)
    yield Problem(
        f"{counted(events, 'event')} {pluralize(events, 'was,were')} rejected.",
        ", ".join(f"{row.label}: {number(row.events)}" for row in rejected).capitalize() + ".",
        min(row.since for row in rejected),
        page="admin:analytics_rejectedevent_changelist",
    )


def _erasure_problems(before: datetime) -> Iterator[Problem]:
    interrupted = Erasure.objects.filter(finished_at=None, at__lt=before).order_by("pk").first()
    if interrupted:
        yield Problem(
            "Erasing persons was interrupted.",
            since=interrupted.at,
            remedy="Finish it:",
            command="python manage.py erase_person --resume",
            page="admin:analytics_erasure_changelist",
        )
    if erased_ids.any_with_unknown_key():
        yield Problem(
            "Erased persons may come back with late events.",
            "Their ids were hashed with a SECRET_KEY that is no longer known.",
            remedy="Add the earlier key to SECRET_KEY_FALLBACKS, and restart.",
        )


def _rejected(now: datetime, within: timedelta) -> list[Rejected]:
    recent = RejectedEvent.objects.all()
    if within < timedelta.max:
        recent = recent.filter(rejected_at__gt=now - within)
    counted = recent.values_list("reason").annotate(Count("pk"), Min("rejected_at"))
    return sorted((Rejected(*row) for row in counted), key=lambda rejected: -rejected.events)
