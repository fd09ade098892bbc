"""GET /api/operational/real-time-metrics: what is happening right now."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.calculations.health import Health
from operational.overview.real_time import RealTime, real_time_metrics


class RealTimeSerializer(serializers.Serializer):
    now = serializers.DateTimeField()
    behind_seconds = serializers.SerializerMethodField(
        help_text="Age of the oldest request waiting in the inbox, and so of the numbers"
    )
    health = serializers.ChoiceField(choices=[*Health], help_text="Of the whole system")
    active_persons_1h = serializers.IntegerField(source="activity.active_hour")
    active_persons_24h = serializers.IntegerField(source="activity.active_day")
    events_per_minute = serializers.IntegerField(
        source="activity.events_per_minute", help_text="In the last complete minute"
    )
    events_last_60_minutes = serializers.ListField(
        source="activity.per_minute",
        child=serializers.IntegerField(),
        help_text="For each complete minute, the oldest first",
    )
    workflows_created_24h = serializers.IntegerField(
        source="workflows_created", help_text="Activation events, by the definitions in force"
    )
    suggestions_applied_24h = serializers.IntegerField(source="suggestions_applied")
    subscriptions_created_24h = serializers.IntegerField(source="subscriptions_created")
    revenue_24h = serializers.DictField(
        source="revenue",
        child=serializers.IntegerField(),
        help_text="Paid invoices less refunds by currency, in minor units",
    )

    def get_behind_seconds(self, metrics: RealTime) -> float:
        return metrics.activity.behind.total_seconds()


class RealTimeMetricsView(Endpoint):
    """What is happening right now, in the product and in billing."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_kpireading"

    @extend_schema(operation_id="operational_real_time_metrics", responses=RealTimeSerializer)
    def get(self, _request: Request) -> Response:
        return Response(RealTimeSerializer(real_time_metrics(timezone.now())).data)
