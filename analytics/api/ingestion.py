"""GET /api/analytics/ingestion."""

from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import DayRangeQuery, bounded_range
from analytics.capture import ledger
from analytics.models import ProjectKey
from common.api.endpoint import Endpoint

DEFAULT_RANGES = {"day": timedelta(days=14), "hour": timedelta(days=2)}  # without `from`
LONGEST = {"day": timedelta(days=366), "hour": timedelta(days=31)}


class IngestionQuery(DayRangeQuery):
    by = serializers.ChoiceField(choices=[*DEFAULT_RANGES], default="day")
    project_key = serializers.CharField(
        required=False, help_text="Name of a project key; by default all."
    )

    def validate_project_key(self, name: str) -> ProjectKey:
        key = ProjectKey.objects.filter(name=name).first()
        if key is None:
            raise serializers.ValidationError(f"There is no project key {name!r}.")
        return key

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        by = attrs["by"]
        last = attrs["last"] = attrs["last"] or datetime.now(UTC).date()
        first = attrs["first"] = attrs["first"] or last - DEFAULT_RANGES[by] + timedelta(days=1)
        bounded_range(first, last, longest=LONGEST[by])
        return attrs


class ReasonsField(serializers.DictField):
    child = serializers.IntegerField()


class AmountsSerializer(serializers.Serializer):
    """Numbers of events by outcome: accepted = stored + duplicate + rejected + erased + waiting."""

    accepted = serializers.IntegerField(help_text="Acknowledged.")
    stored = serializers.IntegerField()
    duplicate = serializers.IntegerField(help_text="Already stored: changed nothing.")
    rejected = ReasonsField(help_text="Acknowledged but not storable, by reason.")
    erased = serializers.IntegerField(help_text="Dropped: they name an id that was erased.")
    waiting = serializers.IntegerField(help_text="In the inbox now.")
    changed = ReasonsField(
        help_text="Among the stored: properties of their person or group were refused, or their"
        " time was unusable and their arrival is used, by reason."
    )
    refused = ReasonsField(help_text="Not acknowledged: no event of the request was usable.")
    limited = ReasonsField(help_text="Not acknowledged: over the key's rate limit or quota.")
    adds_up = serializers.BooleanField()
    missing = serializers.IntegerField(help_text="Acknowledged events without an outcome.")


class ArrivedSerializer(AmountsSerializer):
    """The events that arrived in an hour or a day with one project key."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Not included.")
    project_key = serializers.CharField(help_text="Name of the key.")


class IngestionSerializer(serializers.Serializer):
    to = serializers.DateField(source="last")
    by = serializers.ChoiceField(choices=[*DEFAULT_RANGES])
    total = AmountsSerializer()
    periods = ArrivedSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        return {"from": serializers.DateField(source="first"), **super().get_fields()}


class IngestionView(Endpoint):
    """The outcome of every event that arrived, by day or hour (UTC) of arrival and by key.

    Newest first; hours without arrivals are not listed.
    """

    required_permission = "analytics.view_capturehour"
    query_class = IngestionQuery

    @extend_schema(responses=IngestionSerializer)
    def get(self, _request: Request) -> Response:
        query = self.query
        report = ledger.report(
            first=query["first"],
            last=query["last"],
            grain=query["by"],
            project_key=query.get("project_key"),
        )
        response = query | {"periods": report.periods, "total": report.total}
        return Response(IngestionSerializer(response).data)
