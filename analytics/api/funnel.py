"""GET /api/analytics/funnel."""

from datetime import timedelta

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import (
    AsOfRangeQuery,
    CommaSeparatedField,
    RangeFields,
    RateSerializer,
)
from analytics.insights import funnels
from analytics.rollups import definitions
from common.api.endpoint import Endpoint


class FunnelQuery(AsOfRangeQuery):
    steps = CommaSeparatedField(
        child=serializers.CharField(),
        min_length=2,
        max_length=10,
        error_messages={
            "min_length": "At least {min_length} steps are required.",
            "max_length": "At most {max_length} steps are allowed.",
        },
        help_text="Names of recorded events, in order.",
    )
    within_hours = serializers.IntegerField(
        min_value=1, max_value=24 * 366, default=168, help_text="From the first step."
    )

    def validate_steps(self, steps: list[str]) -> list[str]:
        problems = [
            f"There is no event {name!r}."
            + (f" Did you mean {', '.join(map(repr, similar))}?" if similar else "")
            for name, similar in funnels.unknown_events(steps).items()
        ]
        if problems:
            raise serializers.ValidationError(problems)
        return steps


class StepSerializer(serializers.Serializer):
    event = serializers.CharField()
    persons = serializers.IntegerField()
    from_first = RateSerializer()
    from_previous = RateSerializer()


class FunnelSerializer(RangeFields):
    """The persons who reached each step of a funnel."""

    definition = serializers.CharField(help_text="The definition of the numbers.")
    within_hours = serializers.IntegerField()
    steps = StepSerializer(many=True)


class FunnelView(Endpoint):
    """Conversion of persons from one event to the next, within a time after the first."""

    required_permission = "analytics.view_counter"
    query_class = FunnelQuery

    @extend_schema(responses=FunnelSerializer)
    def get(self, _request: Request) -> Response:
        query = self.query
        steps = funnels.funnel(
            steps=query["steps"],
            within=timedelta(hours=query["within_hours"]),
            entered_from=query["first"],
            entered_to=query["last"],
            as_of=query["as_of"],
        )
        zone = definitions.in_force().time_zone
        definition = funnels.definition(hours=query["within_hours"], time_zone=zone)
        response = query | {"time_zone": zone, "definition": definition, "steps": steps}
        return Response(FunnelSerializer(response).data)
