"""GET /api/analytics/activation."""

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import AsOfRangeQuery, RangeFields, RateFields
from analytics.insights import activation
from analytics.rollups import definitions
from common.api.endpoint import Endpoint


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d{2}$"})
class MonthField(serializers.DateField):
    pass


class ActivatedSerializer(RateFields):
    """Persons activated within a time of signup, of those eligible."""

    eligible = serializers.IntegerField(help_text="Signed up long enough ago.")
    activated = serializers.IntegerField()


class ActivationFields(ActivatedSerializer):
    """Activation within 7 x 24 hours of signup, with that within 24 hours."""

    signups = serializers.IntegerField()
    within_24_hours = ActivatedSerializer()
    median_seconds = serializers.SerializerMethodField(
        help_text="Median time to activation of those activated within 7 x 24 hours."
    )

    def get_median_seconds(self, period: activation.ActivationInPeriod) -> float | None:
        return period.median_time.total_seconds() if period.median_time is not None else None


class ActivationMonthSerializer(ActivationFields):
    """Activation of the persons who signed up in a month."""

    month = MonthField(source="first", format="%Y-%m", help_text="Month of signup.")


class ActivationSerializer(RangeFields):
    """Activation of the persons who signed up in a range of days."""

    definition = serializers.CharField(help_text="The definition of the numbers.")
    overall = ActivationFields()
    months = ActivationMonthSerializer(many=True)


class ActivationView(Endpoint):
    """Activation within 7 x 24 hours and within 24 hours of signup, by month of signup."""

    required_permission = "analytics.view_counter"
    query_class = AsOfRangeQuery

    @extend_schema(responses=ActivationSerializer)
    def get(self, _request: Request) -> Response:
        query = self.query
        report = activation.activation_report(
            signups_from=query["first"], signups_to=query["last"], as_of=query["as_of"]
        )
        in_force = definitions.in_force()
        response = query | {
            "time_zone": in_force.time_zone,
            "definition": activation.definition(
                signup_event=in_force.signup_event,
                activation_event=in_force.activation_event,
                time_zone=in_force.time_zone,
            ),
            "overall": report.overall,
            "months": report.months,
        }
        return Response(ActivationSerializer(response).data)
