"""GET /api/operational/kpi-status: every KPI with everything needed to verify it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import DayQuery
from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.api.serializers import as_json, serializer_of
from operational.kpis.kpi_report import KpiReport, kpi_report
from operational.kpis.readings import read_kpis


class KpiStatusView(Endpoint):
    """Every KPI as of the end of a day, with everything needed to verify it."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_kpireading"
    query_class = DayQuery

    @extend_schema(
        operation_id="operational_kpi_status",
        responses=serializer_of(KpiReport),
    )
    def get(self, _request: Request) -> Response:
        as_of = self.query["as_of"]
        return Response(as_json(kpi_report(as_of=as_of, statuses=read_kpis(as_of=as_of))))
