"""GET /api/analytics/persons and /api/analytics/persons/<distinct_id>."""

from collections.abc import Callable
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.events import EventSerializer, ShortenedField
from analytics.api.parameters import DayField
from analytics.insights import events
from analytics.insights.events import EventFilter
from analytics.models import Person
from analytics.people import persons
from analytics.people.proving import person_named
from analytics.privacy import erasure
from analytics.privacy.erasure import Receipt
from analytics.privacy.export import export
from common.api.endpoint import Endpoint
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
    proved_ids = serializers.SerializerMethodField(help_text="The proved ones of the distinct ids.")
    protected = serializers.SerializerMethodField(
        help_text="Has a proved id: only what is proved decides about this person."
    )
    properties = ShortenedField(
        help_text="The values in effect: proved ones win. In lists long values are cut."
    )
    proved = serializers.ListField(
        child=serializers.CharField(), help_text="Names of the properties with a proved value."
    )
    claimed = ShortenedField(
        help_text="Claims that contradict a proved value. In lists long values are cut."
    )
    refused = serializers.DictField(
        child=serializers.CharField(),
        help_text="Properties that were not set, with the reason: too large, or too many.",
    )
    excluded = serializers.BooleanField(
        help_text="Test, internal or bot: excluded from all metrics."
    )
    first_seen_at = serializers.DateTimeField(allow_null=True)
    first_event_at = serializers.DateTimeField(allow_null=True)
    signup_at = serializers.DateTimeField(allow_null=True)
    activated_at = serializers.DateTimeField(allow_null=True)

    def get_distinct_ids(self, person: Person) -> list[str]:
        return sorted(row.distinct_id for row in person.distinct_ids.all())

    def get_proved_ids(self, person: Person) -> list[str]:
        return sorted(row.distinct_id for row in person.distinct_ids.all() if row.proved)

    def get_protected(self, person: Person) -> bool:
        return any(row.proved for row in person.distinct_ids.all())


class PersonPageSerializer(PageFields):
    results = PersonSerializer(many=True)


class ActivitySerializer(serializers.Serializer):
    active_days = serializers.IntegerField(help_text="Number of active days.")
    first_active_day = serializers.DateField(allow_null=True)
    last_active_day = serializers.DateField(allow_null=True)


class PersonDetailSerializer(PersonSerializer):
    activity = ActivitySerializer()
    events = EventSerializer(many=True, help_text=f"The latest {LATEST_EVENTS}.")


class ErasureQuery(serializers.Serializer):
    dry_run = serializers.BooleanField(
        default=False, help_text="Only return what would be removed."
    )
    search_events = serializers.BooleanField(
        default=False,
        help_text="Also remove the person's ids and addresses from the events and profiles of"
        " others. Reads every event.",
    )


class ElsewhereSerializer(serializers.Serializer):
    holder = serializers.CharField()
    call = serializers.CharField(help_text="Method and address of the request.")
    note = serializers.CharField()


class ReceiptSerializer(serializers.Serializer):
    """What was removed where, and what others still hold."""

    persons = serializers.IntegerField()
    removed = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by place.")
    searched_events = serializers.BooleanField(help_text="Whether events of others were searched.")
    elsewhere = ElsewhereSerializer(many=True, help_text="Calls that erase the person elsewhere.")
    same_address = serializers.SerializerMethodField(
        help_text="A distinct id of each other person with the same e-mail address: not erased."
    )

    def get_same_address(self, receipt: Receipt) -> list[str]:
        rows = (person.distinct_ids.all() for person in receipt.same_address)
        return [min(row.pk for row in ids) for ids in rows if ids]


class PersonsView(Endpoint):
    """Persons, newest first, including excluded ones."""

    required_permission = "analytics.view_person"
    query_class = PersonsQuery

    @extend_schema(responses=PersonPageSerializer)
    def get(self, request: Request) -> Response:
        query = self.query
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


class PersonView(Endpoint):
    """A person by any distinct id: properties, milestones, activity and the latest events."""

    required_permission = {"GET": "analytics.view_person", "DELETE": "analytics.erase_person"}
    query_class = {"DELETE": ErasureQuery}

    @extend_schema(operation_id="analytics_person_retrieve", responses=PersonDetailSerializer)
    def get(self, _request: Request, distinct_id: str) -> Response:
        person = _person(distinct_id)
        prefetch_related_objects([person], "distinct_ids")
        latest = events.events_of(person, EventFilter(), limit=LATEST_EVENTS)
        response = PersonSerializer(person, context={"full": True}).data | {
            "activity": ActivitySerializer(persons.activity(person)).data,
            "events": EventSerializer(latest, many=True).data,
        }
        return Response(response)

    @extend_schema(
        operation_id="analytics_person_erase",
        responses=ReceiptSerializer,
    )
    def delete(self, request: Request, distinct_id: str) -> Response:
        """Erase the person everywhere, and return what was removed and what others still hold."""
        person, search_events = _person(distinct_id, person_named), self.query["search_events"]
        if self.query["dry_run"]:
            receipt = erasure.preview([person.pk], search_events=search_events)
        else:
            receipt = erasure.erase([person.pk], by=request.user, search_events=search_events)
        return Response(ReceiptSerializer(receipt).data)


class PersonExportView(Endpoint):
    """Everything that is stored about a person, as one JSON object."""

    required_permission = "analytics.export_person"

    @extend_schema(operation_id="analytics_person_export", responses=OpenApiTypes.OBJECT)
    def get(self, _request: Request, distinct_id: str) -> StreamingHttpResponse:
        return export_response(_person(distinct_id, person_named))


def export_response(person: Person) -> StreamingHttpResponse:
    """Return the export of a person as a file, sent as it is read."""
    response = StreamingHttpResponse(export(person), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="person-{person.pk}.json"'
    return response


def _person(distinct_id: str, find: Callable[[str], Person | None] = persons.find_person) -> Person:
    """Return the person; both the path and a distinct id may end with a slash."""
    for candidate in (distinct_id, distinct_id.removesuffix("/")):
        if person := find(candidate):
            return person
    if erasure.was_erased(distinct_id):
        raise Http404("The person with this distinct id was erased.")
    raise Http404(f"No person has the distinct id {distinct_id!r}.")
