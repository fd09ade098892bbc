"""GET /api/analytics/persons and /api/analytics/persons/<distinct_id>."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.events import EventSerializer
from analytics.api.parameters import DayField, parsed
from analytics.insights import events
from analytics.insights.events import EventFilter
from analytics.models import Person
from analytics.people import persons
from common.api.pagination import CursorField, PageFields, PageQuery, next_page, page_link

LATEST_EVENTS = 50


class PersonsQuery(PageQuery):
    search = serializers.CharField(
        required=False, help_text="The beginning of a distinct id, or an e-mail address."
    )
    signed_up_from = DayField(required=False, help_text="First day of signup, included.")
    signed_up_to = DayField(required=False, help_text="Last day of signup, included.")
    activated = serializers.BooleanField(
        required=False, default=None, allow_null=True, help_text="Whether they have activated."
    )
    cursor = CursorField(int)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.get("signed_up_from"), attrs.get("signed_up_to")
        if first and last and first > last:
            message = f"`signed_up_to` ({last}) must not be before `signed_up_from` ({first})."
            raise serializers.ValidationError({"signed_up_to": [message]})
        return attrs


class PersonSerializer(serializers.Serializer):
    distinct_ids = serializers.SerializerMethodField()
    properties = serializers.DictField()
    excluded = serializers.BooleanField(
        help_text="Test, internal or bot: excluded from all metrics."
    )
    first_seen_at = serializers.DateTimeField(allow_null=True)
    first_event_at = serializers.DateTimeField(allow_null=True)
    signup_at = serializers.DateTimeField(allow_null=True)
    activated_at = serializers.DateTimeField(allow_null=True)

    def get_distinct_ids(self, person: Person) -> list[str]:
        return sorted(row.distinct_id for row in person.distinct_ids.all())


class PersonPageSerializer(PageFields):
    results = PersonSerializer(many=True)


class ActivitySerializer(serializers.Serializer):
    active_days = serializers.IntegerField(help_text="Number of active days.")
    first_active_day = serializers.DateField(allow_null=True)
    last_active_day = serializers.DateField(allow_null=True)


class PersonDetailSerializer(PersonSerializer):
    activity = ActivitySerializer()
    events = EventSerializer(many=True, help_text=f"The latest {LATEST_EVENTS}.")


class PersonsView(APIView):
    """Persons, newest first, including excluded ones."""

    required_permission = "analytics.view_person"

    @extend_schema(parameters=[PersonsQuery], responses=PersonPageSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(PersonsQuery, request.query_params)
        matches = persons.find_persons(
            search=query.get("search", ""),
            signed_up_from=query.get("signed_up_from"),
            signed_up_to=query.get("signed_up_to"),
            activated=query["activated"],
        ).prefetch_related("distinct_ids")
        if "cursor" in query:
            matches = matches.filter(pk__lt=query["cursor"][0])
        rows = list(matches[: query["limit"] + 1])
        page = rows[: query["limit"]]
        following = None
        if len(rows) > len(page):
            following = page_link(request, next_page(request.query_params, page[-1].pk))
        return Response(PersonPageSerializer({"next": following, "results": page}).data)


class PersonView(APIView):
    """A person by any distinct id: properties, milestones, activity and the latest events."""

    required_permission = "analytics.view_person"

    @extend_schema(operation_id="analytics_person_retrieve", responses=PersonDetailSerializer)
    def get(self, _request: Request, distinct_id: str) -> Response:
        person = _person(distinct_id)
        latest = events.events_of(person, EventFilter(), limit=LATEST_EVENTS)
        response = PersonSerializer(person).data | {
            "activity": ActivitySerializer(persons.activity(person)).data,
            "events": EventSerializer(latest, many=True).data,
        }
        return Response(response)


def _person(distinct_id: str) -> Person:
    """Return the person; both the path and a distinct id may end with a slash."""
    for candidate in (distinct_id, distinct_id.removesuffix("/")):
        if person := persons.find_person(candidate):
            return person
    raise Http404(f"No person has the distinct id {distinct_id!r}.")
