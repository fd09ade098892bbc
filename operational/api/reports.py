"""GET /api/operational/daily-report and weekly-report, and POST to send them."""

from http import HTTPStatus
from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.api.serializers import as_json, serializer_of
from operational.models import ReportKind
from operational.reports import making, reports
from operational.reports.content import DailyReport
from operational.reports.weekly_content import WeeklyReport

DailyReportSerializer = serializer_of(DailyReport)
WeeklyReportSerializer = serializer_of(WeeklyReport)


class ReportConflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class SentSerializer(serializers.Serializer):
    recipient = serializers.CharField()
    delivery = serializers.CharField(source="status", help_text="waiting, sending or sent")
    sent_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField()


class SendingSerializer(serializers.Serializer):
    deliveries = SentSerializer(many=True)


class DailyReportView(Endpoint):
    """The daily report as of now."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_report"

    @extend_schema(operation_id="operational_daily_report", responses=DailyReportSerializer)
    def get(self, _request: Request) -> Response:
        report = making.make(ReportKind.DAILY, now=timezone.now())
        return Response(as_json(report))


class WeeklyReportView(Endpoint):
    """The weekly report as of now."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_report"

    @extend_schema(operation_id="operational_weekly_report", responses=WeeklyReportSerializer)
    def get(self, _request: Request) -> Response:
        report = making.make(ReportKind.WEEKLY, now=timezone.now())
        return Response(as_json(report))


class SendReportView(Endpoint):
    """Queue the report of the last complete period to the recipients who do not have it yet.

    The response lists all recipients; a worker sends what is waiting within moments. 409: there are
    no recipients.
    """

    permission_classes = STAFF_ONLY
    required_permission = "operational.add_report"
    refusals = [HTTPStatus.CONFLICT]
    kind: ClassVar[ReportKind]

    def send(self) -> Response:
        try:
            deliveries = reports.send_now(self.kind, now=timezone.now())
        except reports.NoRecipients as error:
            raise ReportConflict(str(error)) from error
        return Response(SendingSerializer({"deliveries": deliveries}).data)


class SendDailyReportView(SendReportView):
    kind = ReportKind.DAILY

    @extend_schema(operation_id="operational_send_daily_report", responses=SendingSerializer)
    def post(self, _request: Request) -> Response:
        return self.send()


class SendWeeklyReportView(SendReportView):
    kind = ReportKind.WEEKLY

    @extend_schema(operation_id="operational_send_weekly_report", responses=SendingSerializer)
    def post(self, _request: Request) -> Response:
        return self.send()
