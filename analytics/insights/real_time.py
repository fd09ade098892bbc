"""Current activity, read from the roll-ups of the last day."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from analytics.ingestion import inbox
from analytics.models import EventMinute
from analytics.rollups import last_activity
from analytics.rollups.minute_counts import EVERY_EVENT

MINUTES = 60
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RealTimeActivity:
    """Active persons and events, to the minute, by the time of the events.

    `per_minute` covers the last complete minutes, oldest first. `behind` is how long the oldest
    request has been waiting in the inbox, and so the age of the numbers.
    """

    active_hour: int  # persons with a qualifying event within the last hour
    active_day: int  # ... within the last 24 hours
    per_minute: tuple[int, ...]
    day_events: Mapping[str, int]  # in the last 24 hours, by the requested names
    behind: timedelta

    @property
    def events_per_minute(self) -> int:
        """Return the events of the last complete minute."""
        return self.per_minute[-1]


def activity(now: datetime, *, events: Collection[str]) -> RealTimeActivity:
    """Return the activity at a time; `events` are the names to count over 24 hours."""
    _, minutes = last_activity.active_since(now - DAY)
    active_at = 60 * minutes[60 * minutes <= now.timestamp()]
    minute = now.replace(second=0, microsecond=0)
    first = minute - MINUTES * timedelta(minutes=1)
    recent = Q(event=EVERY_EVENT, minute__gte=first, minute__lt=minute)
    named = Q(event__in=events, minute__gt=now - DAY, minute__lte=now)
    per_minute: Counter[datetime] = Counter()
    totals: Counter[str] = Counter()
    rows = EventMinute.objects.filter(recent | named).values_list("event", "minute", "value")
    for event, happened, value in rows:
        if event == EVERY_EVENT:
            per_minute[happened] += value
        else:
            totals[event] += value
    _, waiting_since = inbox.waiting()
    return RealTimeActivity(
        active_hour=int((active_at > (now - HOUR).timestamp()).sum()),
        active_day=len(active_at),
        per_minute=tuple(per_minute[first + timedelta(minutes=n)] for n in range(MINUTES)),
        day_events={name: totals[name] for name in events},
        behind=max(now - waiting_since, timedelta()) if waiting_since else timedelta(),
    )
