"""GET /api/operational/kpi-status: every KPI with everything needed to verify it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.access import STAFF_ONLY
from common.api.serializers import as_json, serializer_of
from common.read_once import reading_together
from operational.api.as_of import KpiDayQuery, requested_day
from operational.kpis.kpi_report import KpiReport, kpi_report
from operational.kpis.readings import read_kpis


class KpiStatusView(APIView):
    """Every KPI as of the end of a day, with everything needed to verify it."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_kpireading"

    @extend_schema(
        operation_id="operational_kpi_status",
        parameters=[KpiDayQuery],
        responses=serializer_of(KpiReport),
    )
    @reading_together()
    def get(self, request: Request) -> Response:
        as_of = requested_day(request)
        return Response(as_json(kpi_report(as_of=as_of, statuses=read_kpis(as_of=as_of))))
