"""GET /api/operational/kpi-alerts: the state of every KPI's alert."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.api.serializers import as_json, serializer_of
from operational.calculations.alert import AlertStatus
from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import Severity
from operational.kpis import goals
from operational.kpis.kpi_report import ReportedGoal, reported_goal
from operational.models import Alert, AlertKind


class KpiAlertSerializer(serializers.ModelSerializer):
    kpi = serializers.CharField(source="subject")
    alert_state = serializers.ChoiceField(source="status", choices=[*AlertStatus])
    severity = serializers.ChoiceField(
        source="firing",
        choices=[*Severity],
        help_text="The firing severity, kept while there is no data",
    )
    since = serializers.DateTimeField(allow_null=True, help_text="When the state began")
    fired_at = serializers.DateTimeField(allow_null=True, help_text="When it last fired")
    goal = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = [
            *(
                "kpi",
                "name",
                "alert_state",
                "severity",
                "since",
                "fired_at",
                "latest",
                "acknowledged",
            ),
            *("silenced_until", "silence_reason", "checked_at", "goal"),
        ]

    @extend_schema_field(serializer_of(ReportedGoal))
    def get_goal(self, alert: Alert) -> Any:
        return as_json(reported_goal(self.context["goals"][alert.subject]))


class KpiAlertsSerializer(serializers.Serializer):
    checked_at = serializers.DateTimeField(allow_null=True, help_text="Null if never checked")
    firing = serializers.IntegerField()
    alerts = KpiAlertSerializer(many=True)


class KpiAlertsView(Endpoint):
    """The state of every KPI's alert, the worst first."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_alert"

    @extend_schema(operation_id="operational_kpi_alerts", responses=KpiAlertsSerializer)
    def get(self, _request: Request) -> Response:
        rows = Alert.objects.filter(kind=AlertKind.KPI, subject__in=CATALOGUE)
        order = [Severity.CRITICAL, Severity.WARNING, Severity.OK]
        alerts = sorted(
            rows, key=lambda alert: (order.index(Severity(alert.firing)), alert.subject)
        )
        checked = [alert.checked_at for alert in alerts if alert.checked_at]
        report = {
            "checked_at": max(checked, default=None),
            "firing": sum(alert.firing != Severity.OK for alert in alerts),
            "alerts": alerts,
        }
        context = {"goals": goals.in_force()}
        return Response(KpiAlertsSerializer(report, context=context).data)
