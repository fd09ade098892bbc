"""GET /api/operational/kpi-status: every KPI with all that is needed to check it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import IntervalSerializer
from analytics.rollups import definitions
from common.calculations.statistics import Status
from common.formatting import Unit
from common.read_once import reading_together
from operational.api.as_of import KpiDayQuery, requested_day
from operational.calculations.kpi import Better, Severity
from operational.kpis import sources
from operational.kpis.readings import KpiStatus, read_kpis


class KpiNumberField(serializers.FloatField):
    """Shows a count of persons as the whole number it is."""

    def to_representation(self, value: float) -> Any:
        return value


class GoalSerializer(serializers.Serializer):
    version = serializers.IntegerField()
    target = serializers.FloatField()
    weight = serializers.IntegerField()
    warning = serializers.FloatField(allow_null=True)
    critical = serializers.FloatField(allow_null=True)
    basis = serializers.CharField()


class MeasuredSerializer(serializers.Serializer):
    """Anything with a `measurement`."""

    status = serializers.ChoiceField(source="measurement.status", choices=list(Status))
    reason = serializers.CharField(
        source="measurement.reason", help_text="Why the status is not ok, else empty"
    )
    value = serializers.FloatField(source="measurement.value", allow_null=True)
    numerator = KpiNumberField(source="measurement.numerator", allow_null=True)
    denominator = KpiNumberField(source="measurement.denominator", allow_null=True)
    interval = IntervalSerializer(
        source="measurement.interval", allow_null=True, help_text="95 % Wilson interval of a rate"
    )
    window_from = serializers.DateField(source="measurement.window_from", allow_null=True)
    window_to = serializers.DateField(source="measurement.window_to", allow_null=True)


class FigureSerializer(MeasuredSerializer):
    name = serializers.CharField()
    unit = serializers.ChoiceField(choices=list(Unit))


class KpiStatusSerializer(MeasuredSerializer):
    kpi = serializers.CharField(source="kpi.slug")
    name = serializers.CharField(source="kpi.name")
    unit = serializers.ChoiceField(source="kpi.unit", choices=list(Unit))
    better = serializers.ChoiceField(source="kpi.better", choices=list(Better))
    formula = serializers.CharField(source="kpi.formula")
    formula_version = serializers.IntegerField(source="kpi.formula_version")
    window = serializers.CharField(source="kpi.window")
    numerator_label = serializers.CharField(source="kpi.numerator")
    denominator_label = serializers.CharField(source="kpi.denominator")
    source = serializers.CharField(source="kpi.source")  # type: ignore[assignment]
    basis = serializers.CharField(source="measurement.basis")
    exclusions = serializers.ListField(
        source="measurement.exclusions", child=serializers.CharField()
    )
    goal = GoalSerializer()
    attainment = serializers.FloatField(
        allow_null=True, help_text="1.0 is the target; uncapped. Null also where a low value is 0"
    )
    score = serializers.FloatField(allow_null=True, help_text="0 to 100, null if it does not count")
    severity = serializers.ChoiceField(choices=list(Severity), allow_null=True)
    beside = serializers.SerializerMethodField("get_related_figures")

    @extend_schema_field(FigureSerializer(many=True))
    def get_related_figures(self, status: KpiStatus) -> Any:
        figures = sources.related_figures(status.kpi.slug, as_of=status.as_of)
        return FigureSerializer(figures, many=True).data


class DefinitionsSerializer(serializers.Serializer):
    time_zone = serializers.CharField()
    signup_event = serializers.CharField()
    activation_event = serializers.CharField()
    passive_events = serializers.SerializerMethodField()

    def get_passive_events(self, definitions_in_force: definitions.Definitions) -> list[str]:
        return sorted(definitions_in_force.passive_events)


class KpiReportSerializer(serializers.Serializer):
    as_of = serializers.DateField()
    definitions = DefinitionsSerializer()
    kpis = KpiStatusSerializer(many=True)


class KpiStatusView(APIView):
    """Every KPI as of the end of a day, with all that is needed to check it."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="operational_kpi_status",
        parameters=[KpiDayQuery],
        responses=KpiReportSerializer,
    )
    @reading_together()
    def get(self, request: Request) -> Response:
        as_of = requested_day(request)
        return Response(kpi_report(as_of, read_kpis(as_of=as_of)))


def kpi_report(as_of: date, statuses: Sequence[KpiStatus]) -> Any:
    return KpiReportSerializer(
        {"as_of": as_of, "definitions": definitions.in_force(), "kpis": statuses}
    ).data
