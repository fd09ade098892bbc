"""GET /api/analytics/events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import EARLIEST, LATEST, DayRangeQuery
from analytics.insights import events
from analytics.insights.events import EventFilter, EventPosition
from common.api.endpoint import Endpoint
from common.api.pagination import CursorField, PageFields, PageQuery, next_page, page_link
from common.calculations.shortening import shortened

MOST_FULL = 10  # events with long values in full


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or not EARLIEST <= time.date() <= LATEST:
        raise ValueError(text)
    return time


class EventsQuery(DayRangeQuery, PageQuery):
    event = serializers.CharField(required=False, help_text="Name of the event.")
    distinct_id = serializers.CharField(required=False, help_text="Any distinct id of the person.")
    cursor = CursorField(_time, UUID)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `page_of_events`."""
        attrs = super().validate(attrs)
        return {
            "wanted": EventFilter(attrs.get("event"), attrs["first"], attrs["last"]),
            "limit": attrs["limit"],
            "after": EventPosition(*attrs["cursor"]) if "cursor" in attrs else None,
            "distinct_id": attrs.get("distinct_id"),
        }


class FullEventsQuery(EventsQuery):
    full = serializers.BooleanField(
        default=False, help_text=f"Do not cut long values; with a `limit` of {MOST_FULL} or less."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["full"] and attrs["limit"] > MOST_FULL:
            message = f"With `full` at most {MOST_FULL} events."
            raise serializers.ValidationError({"limit": [message]})
        return super().validate(attrs) | {"full": attrs["full"]}


class ShortenedField(serializers.DictField):
    """An object whose long values are shortened, unless the context says `full`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "Long values are cut, with a note of their length.")
        super().__init__(**options)

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value if self.context.get("full") else shortened(value)


class EventSerializer(serializers.Serializer):
    uuid = serializers.UUIDField()
    event = serializers.CharField()
    distinct_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    properties = ShortenedField()
    proved = serializers.BooleanField(
        help_text="Sent by your backend or for a verified identity, not only claimed."
    )


class EventPageSerializer(PageFields):
    results = EventSerializer(many=True)


class EventsView(Endpoint):
    """Events, newest first; those of excluded persons only with `distinct_id`."""

    required_permission = "analytics.view_event"
    query_class = FullEventsQuery

    @extend_schema(responses=EventPageSerializer)
    def get(self, request: Request) -> Response:
        query = dict(self.query)
        full = query.pop("full")
        page = events.page_of_events(**query)
        following = next_page(request.query_params, *page.end.cursor) if page.end else None
        response = {"next": page_link(request, following), "results": page.events}
        return Response(EventPageSerializer(response, context={"full": full}).data)
