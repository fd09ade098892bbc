"""GET /api/operational/alignment-score: one number, and what it is made of."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.read_once import reading_together
from operational.api.as_of import KpiDayQuery, requested_day
from operational.calculations.alignment import Band, Contribution
from operational.calculations.catalogue import CATALOGUE
from operational.kpis.alignment import alignment_score


class ContributionSerializer(serializers.Serializer):
    kpi = serializers.CharField()
    name = serializers.SerializerMethodField()
    weight = serializers.IntegerField()
    score = serializers.FloatField(allow_null=True)
    contribution = serializers.FloatField(allow_null=True)
    points_lost = serializers.FloatField(allow_null=True)
    counted = serializers.BooleanField()
    reason_not_counted = serializers.CharField()

    def get_name(self, contribution: Contribution) -> str:
        return CATALOGUE[contribution.kpi].name


class TrendPointSerializer(serializers.Serializer):
    days_ago = serializers.IntegerField()
    day = serializers.DateField()
    then = serializers.FloatField(allow_null=True)
    now = serializers.FloatField(allow_null=True, help_text="Over the compared KPIs only")
    change = serializers.FloatField(allow_null=True)
    compared_kpis = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()


class AlignmentSerializer(serializers.Serializer):
    as_of = serializers.DateField()
    score = serializers.FloatField(allow_null=True, help_text="0 to 100, unrounded")
    band = serializers.ChoiceField(choices=list(Band))
    coverage = serializers.FloatField(help_text="Share of the weight that counts, 0 to 1")
    provisional = serializers.BooleanField()
    contributions = ContributionSerializer(many=True)
    trend = TrendPointSerializer(many=True)


class AlignmentScoreView(APIView):
    """The alignment score as of the end of a day; its KPIs are opened in kpi-status."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="operational_alignment_score",
        parameters=[KpiDayQuery],
        responses=AlignmentSerializer,
    )
    @reading_together()
    def get(self, request: Request) -> Response:
        return Response(AlignmentSerializer(alignment_score(as_of=requested_day(request))).data)
