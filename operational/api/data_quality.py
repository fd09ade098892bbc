"""GET /api/operational/data-quality: the last run of the checks."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.data_quality import CheckVerdict
from operational.quality import data_quality


class ExampleSerializer(serializers.Serializer):
    text = serializers.CharField()
    url = serializers.CharField(help_text="The page that shows it, or empty")


class QualityResultSerializer(serializers.Serializer):
    check = serializers.CharField(source="check.slug")
    name = serializers.CharField(source="check.name")
    family = serializers.CharField(source="check.family")
    verdict = serializers.ChoiceField(choices=[*CheckVerdict])
    affected = serializers.IntegerField()
    detail = serializers.CharField()
    examples = ExampleSerializer(many=True)
    remedy = serializers.CharField()
    ignored_until = serializers.DateField(source="ignored.until", default=None, allow_null=True)


class DataQualitySerializer(serializers.Serializer):
    at = serializers.DateTimeField(allow_null=True, help_text="The last run; null: no run yet")
    score = serializers.IntegerField(allow_null=True, help_text="0 to 100; null: no data")
    band = serializers.CharField()
    results = QualityResultSerializer(many=True)


class DataQualityView(Endpoint):
    """The results of the last run of the data-quality checks, the worst first."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_qualityrun"

    @extend_schema(operation_id="operational_data_quality", responses=DataQualitySerializer)
    def get(self, _request: Request) -> Response:
        return Response(DataQualitySerializer(data_quality.latest()).data)
