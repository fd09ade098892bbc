"""Events, newest first, at a cost that does not grow with the table."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from analytics.models import Event, EventDay, Person
from analytics.people import persons
from analytics.rollups import definitions
from common.calculations.calendar import LocalCalendar


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A filter of events by name and range of days; None means any."""

    event: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class EventPosition:
    """The event after which the next page of a list starts."""

    timestamp: datetime
    uuid: UUID

    @property
    def cursor(self) -> tuple[str, UUID]:
        """The values of which the next page's cursor is made."""
        return self.timestamp.isoformat(), self.uuid


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events; `end` is the position of its last one if there is a next page."""

    events: list[Event]
    end: EventPosition | None


def any_recorded() -> bool:
    """Return whether any event of a person who counts has been stored."""
    return EventDay.objects.filter(value__gt=0).exists()


def is_recorded(event: str) -> bool:
    """Return whether an event of this name has been stored for a person who counts."""
    return EventDay.objects.filter(event=event, value__gt=0).exists()


def page_of_events(
    wanted: EventFilter,
    *,
    limit: int,
    after: EventPosition | None = None,
    distinct_id: str | None = None,
    person: Person | None = None,
) -> EventPage:
    """Return up to `limit` events: all, or those of a person or of the person with a distinct id.

    Events of excluded persons are only on pages of one person.
    """
    if person is None and distinct_id is not None:
        person = persons.find_person(distinct_id)
        if person is None:
            return EventPage([], None)
    if person is None:
        rows = latest_events(wanted, limit=limit + 1, after=after)
    else:
        rows = events_of(person, wanted, limit=limit + 1, after=after)
    page = rows[:limit]
    if len(rows) == len(page):
        return EventPage(page, None)
    return EventPage(page, EventPosition(page[-1].timestamp, page[-1].uuid))


def latest_events(
    wanted: EventFilter, *, limit: int, after: EventPosition | None = None
) -> list[Event]:
    """Return up to `limit` events of the persons who count."""
    calendar = definitions.calendar()
    days = Q(pk__in=[])
    for first, last in _busy_days(wanted, limit=limit, after=after, calendar=calendar):
        start, end = calendar.span(first, last)
        days |= Q(timestamp__gte=start, timestamp__lt=end)
    events = Event.objects.filter(days, person__excluded=False)
    return _page(events, wanted, limit=limit, after=after)


def events_of(
    person: Person, wanted: EventFilter, *, limit: int, after: EventPosition | None = None
) -> list[Event]:
    """Return up to `limit` events of one person, excluded or not."""
    start, end = definitions.calendar().span(wanted.first, wanted.last)
    events = Event.objects.filter(person=person, timestamp__gte=start, timestamp__lt=end)
    return _page(events, wanted, limit=limit, after=after)


def _page(
    events: QuerySet[Event], wanted: EventFilter, *, limit: int, after: EventPosition | None
) -> list[Event]:
    if wanted.event is not None:
        events = events.filter(event=wanted.event)
    if after is not None:
        events = events.filter(
            Q(timestamp__lt=after.timestamp) | Q(uuid__lt=after.uuid),
            timestamp__lte=after.timestamp,
        )
    return list(events.order_by("-timestamp", "-uuid")[:limit])


def _busy_days(
    wanted: EventFilter, *, limit: int, after: EventPosition | None, calendar: LocalCalendar
) -> list[tuple[date, date]]:
    """Return ranges of the newest days that hold `limit` wanted events, so that only they are read.

    Without it the newest events are found by sorting all of them, a rare event by reading all.
    """
    days = EventDay.objects.filter(value__gt=0)
    reached = date.fromordinal(calendar.day(after.timestamp)) if after else None
    if wanted.event is not None:
        days = days.filter(event=wanted.event)
    if wanted.first is not None:
        days = days.filter(day__gte=wanted.first)
    for limit_ in filter(None, (wanted.last, reached)):
        days = days.filter(day__lte=limit_)
    ranges: list[tuple[date, date]] = []
    counted = 0
    for day, events in days.values_list("day").annotate(events=Sum("value")).order_by("-day"):
        if ranges and ranges[-1][0] == day + timedelta(days=1):
            ranges[-1] = day, ranges[-1][1]
        else:
            ranges.append((day, day))
        counted += events if day != reached else 0  # part of the reached day is behind us
        if counted >= limit:
            break
    return ranges
