"""GET /api/analytics/events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import EARLIEST, LATEST, DayRangeQuery, parsed
from analytics.insights import events
from analytics.insights.events import EventFilter, EventPosition
from analytics.models import Event, Person
from analytics.people import persons
from common.api.pagination import CursorField, PageFields, PageQuery, next_page, page_link


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or not EARLIEST <= time.date() <= LATEST:
        raise ValueError(text)
    return time


class EventsQuery(DayRangeQuery, PageQuery):
    event = serializers.CharField(required=False, help_text="Name of the event.")
    distinct_id = serializers.CharField(required=False, help_text="Any distinct id of the person.")
    cursor = CursorField(_time, UUID)


class EventSerializer(serializers.Serializer):
    uuid = serializers.UUIDField()
    event = serializers.CharField()
    distinct_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    properties = serializers.DictField()


class EventPageSerializer(PageFields):
    results = EventSerializer(many=True)


class EventsView(APIView):
    """Events, newest first; those of excluded persons only with `distinct_id`."""

    @extend_schema(parameters=[EventsQuery], responses=EventPageSerializer)
    def get(self, request: Request) -> Response:
        page, following = page_of_events(request.query_params)
        response = {"next": page_link(request, following), "results": page}
        return Response(EventPageSerializer(response).data)


def page_of_events(
    parameters: QueryDict, *, person: Person | None = None
) -> tuple[list[Event], str | None]:
    """Return a page of all events, or of a person's, and the query of the next page if any."""
    query = parsed(EventsQuery, parameters)
    rows = _events(query, person)
    page = rows[: query["limit"]]
    if len(rows) == len(page):
        return page, None
    return page, next_page(parameters, page[-1].timestamp.isoformat(), page[-1].uuid)


def _events(query: dict[str, Any], person: Person | None) -> list[Event]:
    """Return the events of a page and one more, if there is a next page."""
    wanted = EventFilter(query.get("event"), query["first"], query["last"])
    after = EventPosition(*query["cursor"]) if "cursor" in query else None
    limit = query["limit"] + 1
    if person is None and "distinct_id" not in query:
        return events.latest_events(wanted, limit=limit, after=after)
    person = person or persons.find_person(query["distinct_id"])
    return events.events_of(person, wanted, limit=limit, after=after) if person else []
