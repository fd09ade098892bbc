"""GET /api/operational/alignment-score: the score and its contributions."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import DayQuery
from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.api.serializers import as_json, serializer_of
from operational.kpis.alignment import alignment_score
from operational.kpis.kpi_report import AlignmentReport, alignment_report


class AlignmentScoreView(Endpoint):
    """The alignment score as of the end of a day; kpi-status explains its KPIs."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_kpireading"
    query_class = DayQuery

    @extend_schema(
        operation_id="operational_alignment_score",
        responses=serializer_of(AlignmentReport),
    )
    def get(self, _request: Request) -> Response:
        alignment = alignment_score(as_of=self.query["as_of"])
        return Response(as_json(alignment_report(alignment)))
