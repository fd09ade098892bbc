"""GET /api/billing/revenue/mrr, /movements, /churn, /ltv and /cohorts."""

from datetime import date, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import (
    AsOfRangeQuery,
    DayQuery,
    bounded_range,
)
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
from common.api.endpoint import Endpoint
from common.api.serializers import as_json, serializer_of

LONGEST = timedelta(days=3660)


class MrrQuery(AsOfRangeQuery):
    """A range of at most ten years; by default its last 30 days."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        last = attrs["last"] = min(attrs["last"] or attrs["as_of"], attrs["as_of"])
        attrs["first"] = attrs["first"] or self.default_first(attrs)
        bounded_range(attrs["first"], last, longest=LONGEST)
        return attrs

    def default_first(self, attrs: dict[str, Any]) -> date:
        last: date = attrs["last"]
        return last - timedelta(days=mrr.SHOWN_DAYS - 1)


class MovementsQuery(MrrQuery):
    """The same; by default its last twelve months, the first one whole."""

    granularity = serializers.ChoiceField(choices=["month", "day"], default="month")

    def default_first(self, attrs: dict[str, Any]) -> date:
        return movements.first_of_twelve_months(attrs["last"])


class MrrView(Endpoint):
    """MRR, customers and ARPA at the end of a day, and MRR day by day."""

    required_permission = "billing.view_mrrmovement"
    query_class = MrrQuery

    @extend_schema(responses=serializer_of(MrrReport))
    def get(self, _request: Request) -> Response:
        return Response(as_json(mrr_report(**self.query)))


class MovementsView(Endpoint):
    """What changed MRR by month or day; from and to may cut a month, which is then incomplete."""

    required_permission = "billing.view_mrrmovement"
    query_class = MovementsQuery

    @extend_schema(responses=serializer_of(MovementsReport))
    def get(self, _request: Request) -> Response:
        return Response(as_json(movements_report(**self.query)))


class ChurnView(Endpoint):
    """Customer churn and gross MRR churn over the 30 days that end on as_of."""

    required_permission = "billing.view_mrrmovement"
    query_class = DayQuery

    @extend_schema(responses=serializer_of(ChurnReport))
    def get(self, _request: Request) -> Response:
        return Response(as_json(churn_report(**self.query)))


class LtvView(Endpoint):
    """Lifetime value: ARPA x gross margin / monthly churn."""

    required_permission = "billing.view_mrrmovement"
    query_class = DayQuery

    @extend_schema(responses=serializer_of(LtvReport))
    def get(self, _request: Request) -> Response:
        return Response(as_json(ltv_report(**self.query)))


class CohortsView(Endpoint):
    """What the customers of each signup month pay at the end of each month."""

    required_permission = "billing.view_mrrmovement"
    query_class = DayQuery

    @extend_schema(responses=serializer_of(CohortsReport))
    def get(self, _request: Request) -> Response:
        return Response(as_json(cohorts_report(**self.query)))
