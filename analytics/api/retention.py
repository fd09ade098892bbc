"""GET /api/analytics/retention and /api/analytics/retention/weekly."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import (
    AsOfRangeQuery,
    CommaSeparatedField,
    RangeFields,
    RateFields,
)
from analytics.insights import retention
from analytics.insights.retention import CohortKind
from analytics.rollups import definitions
from common.api.endpoint import Endpoint


class CohortQuery(AsOfRangeQuery):
    cohort = serializers.ChoiceField(choices=[*CohortKind], default=CohortKind.SIGNUP)


class RetentionQuery(CohortQuery):
    days = CommaSeparatedField(
        child=serializers.IntegerField(min_value=0, max_value=3650),
        default=[1, 7, 30],
        min_length=1,
        max_length=100,
        help_text="The days after the cohort day.",
    )


class WeeklyQuery(CohortQuery):
    weeks = serializers.IntegerField(min_value=0, max_value=104, default=12)


class CohortFields(RangeFields):
    cohort = serializers.ChoiceField(choices=[*CohortKind])
    definition = serializers.CharField(help_text="The definition of the numbers.")


class DayRetentionSerializer(RateFields):
    """Retention on one day after the cohort day."""

    day = serializers.IntegerField(help_text="Days after the cohort day.")
    eligible = serializers.IntegerField()
    retained = serializers.IntegerField()


class RetentionSerializer(CohortFields):
    """Retention on single days after the cohort day."""

    days = DayRetentionSerializer(many=True)


class WeekRetentionSerializer(serializers.Serializer):
    week = serializers.IntegerField(help_text="Weeks after the cohort week.")
    retained = serializers.IntegerField()
    rate = serializers.FloatField(source="rate.value")


class WeekCohortSerializer(serializers.Serializer):
    week = serializers.DateField(help_text="The Monday of the cohort week.")
    size = serializers.IntegerField()
    weeks = WeekRetentionSerializer(many=True, help_text="The weeks that are over.")


class WeeklyRetentionSerializer(CohortFields):
    """Retention by week after the cohort week."""

    rows = WeekCohortSerializer(many=True)


class RetentionView(Endpoint):
    """Classic retention: of the persons in the cohorts, those active on the N-th day after."""

    required_permission = "analytics.view_counter"
    query_class = RetentionQuery

    @extend_schema(responses=RetentionSerializer)
    def get(self, _request: Request) -> Response:
        query = self.query
        days = retention.day_retention(days=query["days"], **_cohorts(query))
        response = _with_definition(query, retention.definition) | {"days": days}
        return Response(RetentionSerializer(response).data)


class WeeklyRetentionView(Endpoint):
    """The weekly retention matrix: a row for each cohort week, newest last."""

    required_permission = "analytics.view_counter"
    query_class = WeeklyQuery

    @extend_schema(responses=WeeklyRetentionSerializer)
    def get(self, _request: Request) -> Response:
        query = self.query
        rows = retention.weekly_retention(weeks=query["weeks"], **_cohorts(query))
        response = _with_definition(query, retention.weekly_definition) | {"rows": rows}
        return Response(WeeklyRetentionSerializer(response).data)


def _cohorts(query: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that choose the cohorts."""
    return {
        "cohort": query["cohort"],
        "cohorts_from": query["first"],
        "cohorts_to": query["last"],
        "as_of": query["as_of"],
    }


def _with_definition(query: dict[str, Any], definition: Callable[..., str]) -> dict[str, Any]:
    zone = definitions.in_force().time_zone
    text = definition(cohort=query["cohort"], time_zone=zone)
    return query | {"time_zone": zone, "definition": text}
