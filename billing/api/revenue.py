"""GET /api/billing/revenue/mrr, /movements, /churn, /ltv and /cohorts."""

from datetime import date, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import (
    AsOfRangeQuery,
    CompleteDayField,
    parsed,
    reversed_range,
    too_long_range,
)
from analytics.rollups import definitions
from billing.revenue import movements, mrr
from billing.revenue.revenue_report import (
    ChurnReport,
    CohortsReport,
    LtvReport,
    MovementsReport,
    MrrReport,
    churn_report,
    cohorts_report,
    ltv_report,
    movements_report,
    mrr_report,
)
from common.api.serializers import as_json, serializer_of

LONGEST = timedelta(days=3660)


class DayQuery(serializers.Serializer):
    as_of = CompleteDayField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("as_of", definitions.last_complete_day())
        return attrs


class MrrQuery(AsOfRangeQuery):
    """A range of at most ten years; by default its last 30 days."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        last = attrs["last"] = min(attrs["last"] or attrs["as_of"], attrs["as_of"])
        attrs["first"] = attrs["first"] or self.default_first(attrs)
        if attrs["first"] > last:
            raise reversed_range(attrs["first"], last)
        if last - attrs["first"] > LONGEST:
            raise too_long_range(LONGEST.days)
        return attrs

    def default_first(self, attrs: dict[str, Any]) -> date:
        last: date = attrs["last"]
        return last - timedelta(days=mrr.SHOWN_DAYS - 1)


class MovementsQuery(MrrQuery):
    """The same; by default its last twelve months, the first one whole."""

    granularity = serializers.ChoiceField(choices=["month", "day"], default="month")

    def default_first(self, attrs: dict[str, Any]) -> date:
        return movements.first_of_twelve_months(attrs["last"])


class MrrView(APIView):
    """MRR, customers and ARPA at the end of a day, and MRR day by day."""

    required_permission = "billing.view_mrrmovement"

    @extend_schema(parameters=[MrrQuery], responses=serializer_of(MrrReport))
    def get(self, request: Request) -> Response:
        return Response(as_json(mrr_report(**parsed(MrrQuery, request.query_params))))


class MovementsView(APIView):
    """What changed MRR by month or day; from and to may cut a month, which is then incomplete."""

    required_permission = "billing.view_mrrmovement"

    @extend_schema(parameters=[MovementsQuery], responses=serializer_of(MovementsReport))
    def get(self, request: Request) -> Response:
        return Response(as_json(movements_report(**parsed(MovementsQuery, request.query_params))))


class ChurnView(APIView):
    """Customer churn and gross MRR churn over the 30 days that end on as_of."""

    required_permission = "billing.view_mrrmovement"

    @extend_schema(parameters=[DayQuery], responses=serializer_of(ChurnReport))
    def get(self, request: Request) -> Response:
        return Response(as_json(churn_report(**parsed(DayQuery, request.query_params))))


class LtvView(APIView):
    """Lifetime value: ARPA x gross margin / monthly churn."""

    required_permission = "billing.view_mrrmovement"

    @extend_schema(parameters=[DayQuery], responses=serializer_of(LtvReport))
    def get(self, request: Request) -> Response:
        return Response(as_json(ltv_report(**parsed(DayQuery, request.query_params))))


class CohortsView(APIView):
    """What the customers of each signup month pay at the end of each month."""

    required_permission = "billing.view_mrrmovement"

    @extend_schema(parameters=[DayQuery], responses=serializer_of(CohortsReport))
    def get(self, request: Request) -> Response:
        return Response(as_json(cohorts_report(**parsed(DayQuery, request.query_params))))
