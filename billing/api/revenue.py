"""GET /api/billing/revenue/mrr, /movements, /churn, /ltv and /cohorts."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import (
    AsOfRangeQuery,
    CompleteDayField,
    RateFields,
    parsed,
)
from analytics.rollups import definitions
from billing.revenue import cohorts, customer_churn, lifetime_value, movements, mrr
from billing.revenue import settings as revenue_settings
from common.calculations.currency import rounded

LONGEST = timedelta(days=3660)
SHOWN_MONTHS = 365  # days of movements, unless others are asked for


class DayQuery(serializers.Serializer):
    as_of = CompleteDayField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("as_of", definitions.last_complete_day())
        return attrs


class MrrQuery(AsOfRangeQuery):
    """A range of at most ten years; by default its last 30 days."""

    days = 30

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        last = attrs["last"] = min(attrs["last"] or attrs["as_of"], attrs["as_of"])
        attrs["first"] = attrs["first"] or last - timedelta(days=self.days - 1)
        if attrs["first"] > last:
            raise serializers.ValidationError({"from": [f"{attrs['first']} is after {last}."]})
        if last - attrs["first"] > LONGEST:
            raise serializers.ValidationError({"from": [f"More than {LONGEST.days} days."]})
        return attrs


class MovementsQuery(MrrQuery):
    """The same; by default its last twelve months."""

    days = SHOWN_MONTHS
    granularity = serializers.ChoiceField(choices=["month", "day"], default="month")


class MinorUnitsField(serializers.IntegerField):
    """Minor units of the answer's currency; fractions are rounded to the nearest."""

    def to_representation(self, value: Any) -> int:
        return rounded(value) if isinstance(value, Fraction) else int(value)


class ExactField(serializers.FloatField):
    """An exact fraction, as the nearest number."""

    def to_representation(self, value: Any) -> Any:
        return float(value)


class RevenueFields(serializers.Serializer):
    as_of = serializers.DateField()
    currency = serializers.CharField(help_text="Of all amounts, which are its minor units.")


class DayLevelSerializer(serializers.Serializer):
    day = serializers.DateField()
    mrr = MinorUnitsField()
    customers = serializers.IntegerField()


class HeldAmountSerializer(serializers.Serializer):
    currency = serializers.CharField()
    amount = serializers.IntegerField(help_text="In minor units of that currency.")
    movements = serializers.IntegerField()
    first_day = serializers.DateField(help_text="The first day that lacks a rate.")


class MrrSerializer(RevenueFields):
    mrr = MinorUnitsField()
    customers = serializers.IntegerField(help_text="Those with MRR above 0.")
    arpa = MinorUnitsField(allow_null=True, help_text="MRR / customers; null without customers.")
    at_risk = MinorUnitsField(
        allow_null=True, help_text="The part that is past due; null for the past: known only now."
    )
    scheduled_churn = MinorUnitsField(
        allow_null=True, help_text="The part that was asked to end; null for the past."
    )
    scheduled_customers = serializers.IntegerField(
        allow_null=True, help_text="Customers some of whose MRR was asked to end."
    )
    held = HeldAmountSerializer(many=True, help_text="No exchange rate: in no other number.")
    held_objects = serializers.IntegerField(help_text="Stripe objects that cannot be used.")
    days = DayLevelSerializer(many=True)


class RevenuePeriodSerializer(serializers.Serializer):
    start = serializers.DateField()
    end = serializers.DateField(help_text="The last day, included.")
    complete = serializers.BooleanField(help_text="Whether it was over at the end of as_of.")
    opening = MinorUnitsField()
    new = MinorUnitsField()
    reactivation = MinorUnitsField()
    expansion = MinorUnitsField()
    contraction = MinorUnitsField(help_text="As it is subtracted: not below 0.")
    churn = MinorUnitsField(help_text="As it is subtracted: not below 0.")
    closing = MinorUnitsField()
    new_customers = serializers.IntegerField()
    reactivated_customers = serializers.IntegerField()
    churned_customers = serializers.IntegerField()
    quick_ratio = ExactField(
        allow_null=True, help_text="(new + expansion + reactivation) / (contraction + churn)."
    )


class MovementsSerializer(RevenueFields):
    granularity = serializers.CharField()
    periods = RevenuePeriodSerializer(many=True)


class ChurnSerializer(RevenueFields, RateFields):
    window_from = serializers.DateField(help_text="The window ends on as_of.")
    left = serializers.IntegerField(source="rate.numerator")
    customers_before = serializers.IntegerField(source="rate.denominator")
    joined_and_left = serializers.IntegerField(help_text="Within the window: not in the rate.")
    mrr_before = MinorUnitsField()
    mrr_lost = MinorUnitsField(help_text="Contraction and churn.")
    gross_mrr_churn = ExactField(allow_null=True, help_text="mrr_lost / mrr_before.")


class LtvSerializer(RevenueFields):
    ltv = MinorUnitsField(
        source="lifetime.ltv", default=None, allow_null=True, help_text="null without customers."
    )
    arpa = MinorUnitsField(source="lifetime.arpa", default=None, allow_null=True)
    churn = ExactField(
        source="lifetime.churn", default=None, allow_null=True, help_text="Monthly, 0 to 1."
    )
    capped = serializers.BooleanField(
        source="lifetime.capped",
        default=None,
        allow_null=True,
        help_text="Whether churn was below 1.67 % and counts as that.",
    )
    window_from = serializers.DateField(help_text="Of churn; the window ends on as_of.")
    left = serializers.IntegerField(source="churn.left", help_text="Pooled over three windows.")
    customers_before = serializers.IntegerField(source="churn.customers")
    gross_margin = ExactField(help_text="0 to 1.")
    margin_is_set = serializers.BooleanField(help_text="Otherwise it counts as 1.")


class CohortMonthSerializer(serializers.Serializer):
    month = serializers.DateField()
    mrr = MinorUnitsField()
    customers = serializers.IntegerField()


class CohortSerializer(serializers.Serializer):
    signup_month = serializers.DateField(allow_null=True, help_text="null: not known.")
    won = serializers.IntegerField(help_text="Who ever became a customer.")
    months = CohortMonthSerializer(many=True)


class CohortsSerializer(RevenueFields):
    cohorts = CohortSerializer(many=True)


class MrrView(APIView):
    """MRR, customers and ARPA at the end of a day, and MRR day by day."""

    @extend_schema(parameters=[MrrQuery], responses=MrrSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(MrrQuery, request.query_params)
        return Response(MrrSerializer(mrr.report(**query)).data)


class MovementsView(APIView):
    """What changed MRR by month or day; a month is shown from its first day."""

    @extend_schema(parameters=[MovementsQuery], responses=MovementsSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(MovementsQuery, request.query_params)
        return Response(movements_answer(**query))


class ChurnView(APIView):
    """Customer churn and gross MRR churn over the 30 days that end on as_of."""

    @extend_schema(parameters=[DayQuery], responses=ChurnSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(DayQuery, request.query_params)
        return Response(ChurnSerializer(customer_churn.last_30_days(**query)).data)


class LtvView(APIView):
    """Lifetime value: ARPA x gross margin / monthly churn."""

    @extend_schema(parameters=[DayQuery], responses=LtvSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(DayQuery, request.query_params)
        return Response(LtvSerializer(lifetime_value.estimate(**query)).data)


class CohortsView(APIView):
    """What the customers of each signup month pay at the end of each month."""

    @extend_schema(parameters=[DayQuery], responses=CohortsSerializer)
    def get(self, request: Request) -> Response:
        return Response(cohorts_answer(**parsed(DayQuery, request.query_params)))


def movements_answer(*, first: date, last: date, as_of: date, granularity: str) -> Any:
    periods = movements.by_period(
        first=first, last=last, as_of=as_of, by_month=granularity == "month"
    )
    return MovementsSerializer(
        {
            "as_of": as_of,
            "currency": revenue_settings.currency_in_force(),
            "granularity": granularity,
            "periods": periods,
        }
    ).data


def cohorts_answer(*, as_of: date) -> Any:
    return CohortsSerializer(
        {
            "as_of": as_of,
            "currency": revenue_settings.currency_in_force(),
            "cohorts": cohorts.by_signup_month(as_of=as_of),
        }
    ).data


def report(as_of: date) -> dict[str, Any]:
    """Return the bodies of all answers as of a day, with their default ranges."""
    year = as_of - timedelta(days=SHOWN_MONTHS - 1)
    return {
        "mrr": MrrSerializer(mrr.report(as_of=as_of)).data,
        "movements": movements_answer(first=year, last=as_of, as_of=as_of, granularity="month"),
        "churn": ChurnSerializer(customer_churn.last_30_days(as_of=as_of)).data,
        "ltv": LtvSerializer(lifetime_value.estimate(as_of=as_of)).data,
        "cohorts": cohorts_answer(as_of=as_of),
    }
