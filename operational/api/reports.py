"""GET /api/operational/daily-report and weekly-report, and POST to send them."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from operational.models import Report
from operational.reports import report_content, reports


class TrendSerializer(serializers.Serializer):
    days_ago = serializers.IntegerField()
    day = serializers.DateField()
    then = serializers.FloatField(allow_null=True)
    change = serializers.FloatField(allow_null=True)
    note = serializers.CharField()


class ReportScoreSerializer(serializers.Serializer):
    score = serializers.FloatField(allow_null=True)
    shown = serializers.CharField()
    band = serializers.CharField()
    coverage = serializers.FloatField()
    provisional = serializers.BooleanField()
    trend = TrendSerializer(many=True)


class ReportKpiSerializer(serializers.Serializer):
    kpi = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    shown = serializers.CharField()
    shown_interval = serializers.CharField()
    target = serializers.FloatField()
    shown_target = serializers.CharField()
    attainment = serializers.FloatField(allow_null=True)
    severity = serializers.CharField(allow_null=True)
    points_lost = serializers.FloatField(allow_null=True)
    week_before = serializers.FloatField(allow_null=True)
    shown_change = serializers.CharField()
    history = serializers.ListField(
        child=serializers.FloatField(), help_text="Of up to 30 days that count, oldest first"
    )


class UnknownSerializer(serializers.Serializer):
    name = serializers.CharField()
    why = serializers.CharField()


class ReportRealTimeSerializer(serializers.Serializer):
    active_persons_1h = serializers.IntegerField()
    active_persons_24h = serializers.IntegerField()
    events_per_minute = serializers.IntegerField()
    workflows_created_24h = serializers.IntegerField()
    suggestions_applied_24h = serializers.IntegerField()
    subscriptions_created_24h = serializers.IntegerField()
    revenue_24h = serializers.DictField(child=serializers.IntegerField())
    shown_revenue_24h = serializers.ListField(child=serializers.CharField())
    behind_seconds = serializers.FloatField()


class ReportProblemSerializer(serializers.Serializer):
    name = serializers.CharField()
    health = serializers.CharField()
    detail = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    remedy = serializers.CharField()


class ReportHealthSerializer(serializers.Serializer):
    health = serializers.CharField()
    problems = ReportProblemSerializer(many=True)


class ReportAlertSerializer(serializers.Serializer):
    kind = serializers.CharField()
    subject = serializers.CharField()
    name = serializers.CharField()
    severity = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField()
    acknowledged = serializers.BooleanField()
    id = serializers.IntegerField()


class ReportActionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    detail = serializers.CharField()
    severity = serializers.CharField()
    points = serializers.FloatField()
    people = serializers.IntegerField(allow_null=True)
    owner = serializers.CharField(allow_null=True)
    due = serializers.DateField(allow_null=True)


class ReportFindingSerializer(serializers.Serializer):
    check = serializers.CharField()
    name = serializers.CharField()
    verdict = serializers.CharField()
    affected = serializers.IntegerField()
    detail = serializers.CharField()
    ignored = serializers.BooleanField()


class ReportQualitySerializer(serializers.Serializer):
    at = serializers.DateTimeField(allow_null=True)
    score = serializers.IntegerField(allow_null=True)
    band = serializers.CharField()
    findings = ReportFindingSerializer(many=True)


class DailyReportSerializer(serializers.Serializer):
    kind = serializers.CharField()
    period_from = serializers.DateField()
    day = serializers.DateField()
    time_zone = serializers.CharField()
    made_at = serializers.DateTimeField()
    has_demo = serializers.BooleanField(help_text="The numbers are those of a made-up company")
    alignment = ReportScoreSerializer()
    kpis = ReportKpiSerializer(many=True)
    unknown = UnknownSerializer(many=True)
    real_time = ReportRealTimeSerializer()
    health = ReportHealthSerializer()
    alerts = ReportAlertSerializer(many=True)
    actions = ReportActionSerializer(many=True)
    data_quality = ReportQualitySerializer()


class SignupWeekSerializer(serializers.Serializer):
    first = serializers.DateField()
    last = serializers.DateField()
    signups = serializers.IntegerField()
    activated = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)
    shown = serializers.CharField()


class CohortRateSerializer(serializers.Serializer):
    week = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)
    shown = serializers.CharField()


class ReportCohortSerializer(serializers.Serializer):
    week = serializers.DateField()
    size = serializers.IntegerField()
    rates = CohortRateSerializer(many=True)


class ReportStepSerializer(serializers.Serializer):
    name = serializers.CharField()
    persons = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)
    shown = serializers.CharField()


class ReportFunnelSerializer(serializers.Serializer):
    signups_from = serializers.DateField()
    signups_to = serializers.DateField()
    steps = ReportStepSerializer(many=True)


class ReportRevenueSerializer(serializers.Serializer):
    currency = serializers.CharField()
    mrr = serializers.IntegerField()
    shown_mrr = serializers.CharField()
    customers = serializers.IntegerField()
    arpa = serializers.FloatField(allow_null=True)
    shown_arpa = serializers.CharField()
    movements = serializers.DictField(child=serializers.IntegerField())
    shown_movements = serializers.DictField(child=serializers.CharField())
    change = serializers.IntegerField()
    shown_change = serializers.CharField()
    churn_rate = serializers.FloatField(allow_null=True)
    shown_churn_rate = serializers.CharField()


class ReportMonthSerializer(serializers.Serializer):
    month = serializers.DateField()
    active = serializers.IntegerField()
    complete = serializers.BooleanField()
    growth = serializers.FloatField(allow_null=True)
    shown = serializers.CharField()
    new = serializers.IntegerField(allow_null=True)
    resurrected = serializers.IntegerField(allow_null=True)
    churned = serializers.IntegerField(allow_null=True)


class WeeklyReportSerializer(DailyReportSerializer):
    activation = SignupWeekSerializer(many=True)
    cohorts = ReportCohortSerializer(many=True)
    funnel = ReportFunnelSerializer()
    revenue = ReportRevenueSerializer(allow_null=True, help_text="Null: nobody has paid yet")
    growth = ReportMonthSerializer(many=True)


class SentSerializer(serializers.Serializer):
    recipient = serializers.CharField()
    delivery = serializers.CharField(source="status", help_text="waiting, sent, failed or expired")
    sent_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField()


class SendingSerializer(serializers.Serializer):
    deliveries = SentSerializer(many=True)


class DailyReportView(APIView):
    """The daily report as of now: what it would say if it were made this moment."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="operational_daily_report", responses=DailyReportSerializer)
    def get(self, _request: Request) -> Response:
        return Response(report_content.make(Report.Kind.DAILY, now=timezone.now()))


class WeeklyReportView(APIView):
    """The weekly report as of now: what it would say if it were made this moment."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="operational_weekly_report", responses=WeeklyReportSerializer)
    def get(self, _request: Request) -> Response:
        return Response(report_content.make(Report.Kind.WEEKLY, now=timezone.now()))


class SendReportView(APIView):
    """Send the report of the last complete period to those who do not have it yet."""

    permission_classes = [IsAdminUser]
    kind: ClassVar[Report.Kind]

    def send(self) -> Response:
        sent = reports.send_now(self.kind, now=timezone.now())
        return Response(SendingSerializer({"deliveries": sent}).data)


class SendDailyReportView(SendReportView):
    kind = Report.Kind.DAILY

    @extend_schema(
        operation_id="operational_send_daily_report", request=None, responses=SendingSerializer
    )
    def post(self, _request: Request) -> Response:
        return self.send()


class SendWeeklyReportView(SendReportView):
    kind = Report.Kind.WEEKLY

    @extend_schema(
        operation_id="operational_send_weekly_report", request=None, responses=SendingSerializer
    )
    def post(self, _request: Request) -> Response:
        return self.send()
