"""Whether PostHog has the events that were forwarded to it."""

from datetime import datetime

from django.conf import settings
from django.db.models import Count

from analytics.models import Event
from analytics.rollups import definitions
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted, number
from common.outgoing import BoundedSession, NoResponse

MOST = 0.01  # of the events of a day; more of them missing is a warning
SECONDS = 20  # for the response
MAX_BYTES = 8 * 1024 * 1024  # of the response
MAX_EXAMPLES = 5
_QUERY = (
    "SELECT event, count() FROM events WHERE timestamp >= toDateTime('{start}', 'UTC')"
    " AND timestamp < toDateTime('{end}', 'UTC') GROUP BY event LIMIT 10000"
)


class PostHogReconciliation(Check):
    """Compares the last complete day; where forwarding or the key is not set, there is no data."""

    slug = "posthog"
    name = "PostHog has the same events"
    family = "Reconciliation with PostHog"
    remedy = (
        "Check forwarding on the capture health page, and whether PostHog drops events because of"
        " a quota or filter."
    )

    def run(self, *, now: datetime) -> Finding:
        if not (settings.PLUMBLINE_FORWARDING and settings.POSTHOG_PERSONAL_API_KEY):
            return NO_DATA
        day = definitions.last_complete_day(now)
        start, end = definitions.calendar().span(day, day)
        ours = _ours(start, end)
        if not ours:
            return NO_DATA
        try:
            theirs = _theirs(start, end)
        except NoResponse as error:
            return Finding(CheckVerdict.WARNING, 1, f"PostHog is not responding: {error}")
        except (ValueError, KeyError) as error:
            detail = f"PostHog's response is not readable: {type(error).__name__}."
            return Finding(CheckVerdict.WARNING, 1, detail)
        missing = {
            event: number - theirs.get(event, 0)
            for event, number in ours.items()
            if number > theirs.get(event, 0)
        }
        affected, total = sum(missing.values()), sum(ours.values())
        if affected <= MOST * total:
            return PASSED
        worst = sorted(missing, key=lambda event: (-missing[event], event))
        examples = [
            Example(f"{event}: {number(ours[event])} here, {number(theirs.get(event, 0))} there")
            for event in worst[:MAX_EXAMPLES]
        ]
        detail = f"PostHog is missing {number(affected)} of {counted(total, 'event')} on {day}."
        return Finding(CheckVerdict.WARNING, affected, detail, examples)


def _ours(start: datetime, end: datetime) -> dict[str, int]:
    """Count the events of one day that are forwarded: a bounded read of raw events."""
    events = Event.objects.filter(timestamp__gte=start, timestamp__lt=end)
    if settings.PLUMBLINE_FORWARD_EVENTS:
        events = events.filter(event__in=settings.PLUMBLINE_FORWARD_EVENTS)
    events = events.exclude(event__in=settings.PLUMBLINE_FORWARD_EVENTS_EXCEPT)
    return dict(events.values_list("event").annotate(Count("uuid")))


def _theirs(start: datetime, end: datetime) -> dict[str, int]:
    # Events are captured at eu.i.posthog.com and queried at eu.posthog.com.
    host = settings.POSTHOG_HOST.replace(".i.posthog.com", ".posthog.com")
    query = _QUERY.format(start=f"{start:%Y-%m-%d %H:%M:%S}", end=f"{end:%Y-%m-%d %H:%M:%S}")
    with BoundedSession(SECONDS, max_bytes=MAX_BYTES) as session:
        response = session.post(
            f"{host}/api/projects/{settings.POSTHOG_PROJECT_ID}/query/",
            json={"query": {"kind": "HogQLQuery", "query": query}},
            headers={"Authorization": f"Bearer {settings.POSTHOG_PERSONAL_API_KEY}"},
        )
    if response.status_code != 200:
        raise NoResponse(f"status {response.status_code}.")
    return {event: int(number) for event, number in response.json()["results"]}
