"""GET /api/analytics/events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import EARLIEST, LATEST, DayRangeQuery, parsed
from analytics.insights import events
from analytics.insights.events import EventFilter, EventPosition
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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `page_of_events`."""
        attrs = super().validate(attrs)
        return {
            "wanted": EventFilter(attrs.get("event"), attrs["first"], attrs["last"]),
            "limit": attrs["limit"],
            "after": EventPosition(*attrs["cursor"]) if "cursor" in attrs else None,
            "distinct_id": attrs.get("distinct_id"),
        }


class EventSerializer(serializers.Serializer):
    uuid = serializers.UUIDField()
    event = serializers.CharField()
    distinct_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    properties = serializers.DictField()
    proved = serializers.BooleanField(
        help_text="Sent by your backend or for a verified identity, not only claimed."
    )


class EventPageSerializer(PageFields):
    results = EventSerializer(many=True)


class EventsView(APIView):
    """Events, newest first; those of excluded persons only with `distinct_id`."""

    required_permission = "analytics.view_event"

    @extend_schema(parameters=[EventsQuery], responses=EventPageSerializer)
    def get(self, request: Request) -> Response:
        page = events.page_of_events(**parsed(EventsQuery, request.query_params))
        following = next_page(request.query_params, *page.end.cursor) if page.end else None
        response = {"next": page_link(request, following), "results": page.events}
        return Response(EventPageSerializer(response).data)
