"""GET /api/analytics/active-users."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import (
    AsOfRangeQuery,
    RangeFields,
    bounded_range,
)
from analytics.insights import active_users
from analytics.rollups import definitions
from common.api.endpoint import Endpoint

LONGEST = timedelta(days=3660)

GRANULARITIES = {
    "day": active_users.active_days,
    "week": active_users.active_weeks,
    "month": active_users.active_months,
}


class ActiveUsersQuery(AsOfRangeQuery):
    granularity = serializers.ChoiceField(choices=[*GRANULARITIES], default="day")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        last = attrs["last"] = attrs["last"] or attrs["as_of"]
        if attrs["first"] is None:
            attrs["first"] = active_users.default_first_day(last=last, longest=LONGEST)
        bounded_range(attrs["first"], last, longest=LONGEST)
        return attrs


class PeriodSerializer(serializers.Serializer):
    start = serializers.DateField()
    end = serializers.DateField(help_text="The last day, included.")
    active = serializers.IntegerField(help_text="Distinct active persons.")
    complete = serializers.BooleanField(
        help_text="Whether the period was over at the end of as_of."
    )


class ActiveDaySerializer(PeriodSerializer):
    trailing_7 = serializers.IntegerField(help_text="Persons active in the 7 days ending on it.")
    trailing_30 = serializers.IntegerField(help_text="Persons active in the 30 days ending on it.")


class GrowthAccountingSerializer(serializers.Serializer):
    new = serializers.IntegerField()
    retained = serializers.IntegerField()
    resurrected = serializers.IntegerField()
    churned = serializers.IntegerField(help_text="Active the month before, not in this one.")


class ActiveMonthSerializer(PeriodSerializer):
    growth_accounting = GrowthAccountingSerializer(allow_null=True)
    stickiness = serializers.FloatField(
        allow_null=True, help_text="Mean daily active persons / persons active in the month."
    )
    growth = serializers.FloatField(allow_null=True, help_text="Against the month before.")


class ActiveUsersFields(RangeFields):
    definition = serializers.CharField(help_text="The definition of the numbers.")


def _always(word: str) -> Any:
    """Return a field that is always this word, which distinguishes the responses."""
    field = type("WordField", (serializers.CharField,), {})
    return extend_schema_field({"type": "string", "pattern": f"^{word}$"})(field)()


class ActiveDaysSerializer(ActiveUsersFields):
    """Active persons by day."""

    granularity = _always("day")
    periods = ActiveDaySerializer(many=True)


class ActiveWeeksSerializer(ActiveUsersFields):
    """Active persons by ISO week."""

    granularity = _always("week")
    periods = PeriodSerializer(many=True)


class ActiveMonthsSerializer(ActiveUsersFields):
    """Active persons by calendar month."""

    granularity = _always("month")
    periods = ActiveMonthSerializer(many=True)


RESPONSES: dict[str, type[ActiveUsersFields]] = {
    "day": ActiveDaysSerializer,
    "week": ActiveWeeksSerializer,
    "month": ActiveMonthsSerializer,
}


class ActiveUsersView(Endpoint):
    """Distinct active persons by day, ISO week or calendar month; a period without any is 0."""

    required_permission = "analytics.view_counter"
    query_class = ActiveUsersQuery

    @extend_schema(
        responses=PolymorphicProxySerializer(
            component_name="ActiveUsers",
            serializers=list(RESPONSES.values()),
            resource_type_field_name=None,
        ),
    )
    def get(self, _request: Request) -> Response:
        query = self.query
        granularity = query["granularity"]
        periods = GRANULARITIES[granularity](
            first=query["first"], last=query["last"], as_of=query["as_of"]
        )
        zone = definitions.in_force().time_zone
        definition = active_users.definition(time_zone=zone)
        response = query | {"time_zone": zone, "definition": definition, "periods": periods}
        return Response(RESPONSES[granularity](response).data)
