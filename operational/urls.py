from django.urls import URLPattern, path, re_path

from operational.admin import (
    actions,
    alerts,
    dashboard,
    data_quality,
    goals,
    reports,
    second_factor,
    system_health,
)
from operational.api.alignment_score import AlignmentScoreView
from operational.api.data_quality import DataQualityView
from operational.api.kpi_alerts import KpiAlertsView
from operational.api.kpi_status import KpiStatusView
from operational.api.priority_actions import PriorityActionsView
from operational.api.real_time_metrics import RealTimeMetricsView
from operational.api.reports import (
    DailyReportView,
    SendDailyReportView,
    SendWeeklyReportView,
    WeeklyReportView,
)
from operational.api.system_health import SystemHealthView
from operational.monitoring import probes
from operational.monitoring.metrics import MetricsView

app_name = "operational"
urlpatterns: list[URLPattern] = [
    # Placed before the admin's own addresses, of which they replace the start pages.
    path("admin/operational/", dashboard.dashboard, name="dashboard"),
    path("admin/operational/now/", dashboard.now, name="now"),
    path("admin/operational/kpis/<slug:slug>/", dashboard.kpi, name="kpi"),
    path("admin/operational/kpis/<slug:slug>/try-goal/", goals.try_goal, name="try-goal"),
    path("admin/operational/demo/remove/", dashboard.remove_demo, name="remove-demo"),
    path("admin/operational/actions/", actions.actions_page, name="actions"),
    path("admin/operational/actions/refresh/", actions.refresh, name="refresh-actions"),
    path("admin/operational/actions/<int:pk>/", actions.action_page, name="action"),
    path("admin/operational/actions/<int:pk>/finish/", actions.finish, name="finish-action"),
    path("admin/operational/actions/<int:pk>/dismiss/", actions.dismiss, name="dismiss-action"),
    path("admin/operational/alerts/", alerts.alerts_page, name="alerts"),
    path("admin/operational/alerts/check/", alerts.check_alerts, name="check-alerts"),
    path("admin/operational/alerts/test/", alerts.send_test, name="test-alerts"),
    path("admin/operational/alerts/<int:pk>/", alerts.alert_page, name="alert"),
    path("admin/operational/alerts/<int:pk>/acknowledge/", alerts.acknowledge, name="acknowledge"),
    path("admin/operational/alerts/<int:pk>/silence/", alerts.silence, name="silence"),
    path("admin/operational/data-quality/", data_quality.quality_page, name="data-quality"),
    path("admin/operational/data-quality/run/", data_quality.run_checks, name="run-quality-checks"),
    path("admin/operational/data-quality/repair/<slug:slug>/", data_quality.repair, name="repair"),
    path("admin/operational/reports/", reports.reports_page, name="reports"),
    path("admin/operational/reports/<int:pk>/", reports.report_page, name="report"),
    path("admin/operational/reports/preview/<kind>/", reports.preview, name="preview-report"),
    path("admin/operational/reports/test/<kind>/", reports.send_test, name="test-report"),
    path("admin/operational/reports/send/<kind>/", reports.send_now, name="send-report"),
    path("admin/second-factor/", second_factor.overview, name="second-factor"),
    path("admin/second-factor/verify/", second_factor.verify, name="verify"),
    path("admin/second-factor/add/", second_factor.allow_adding, name="add-second-factor"),
    path("admin/second-factor/start-app/", second_factor.start_app, name="start-app"),
    path("admin/second-factor/confirm-app/", second_factor.confirm_app, name="confirm-app"),
    path("admin/second-factor/remove/", second_factor.remove, name="remove-second-factor"),
    path("admin/second-factor/codes/", second_factor.new_codes, name="new-recovery-codes"),
    path("reports/unsubscribe/<token>/", reports.unsubscribe, name="unsubscribe"),
    path("admin/operational/system-health/", system_health.health_page, name="system-health"),
    re_path(
        r"^api/operational/alignment-score/?$",
        AlignmentScoreView.as_view(),
        name="api-alignment-score",
    ),
    re_path(
        r"^api/operational/system-health/?$", SystemHealthView.as_view(), name="api-system-health"
    ),
    re_path(
        r"^api/operational/real-time-metrics/?$",
        RealTimeMetricsView.as_view(),
        name="api-real-time-metrics",
    ),
    re_path(r"^metrics/?$", MetricsView.as_view(), name="metrics"),
    path("livez", probes.livez, name="livez"),
    path("readyz", probes.readyz, name="readyz"),
    re_path(
        r"^api/operational/priority-actions/?$",
        PriorityActionsView.as_view(),
        name="api-priority-actions",
    ),
    re_path(
        r"^api/operational/daily-report/?$", DailyReportView.as_view(), name="api-daily-report"
    ),
    re_path(
        r"^api/operational/weekly-report/?$", WeeklyReportView.as_view(), name="api-weekly-report"
    ),
    re_path(
        r"^api/operational/send-daily-report/?$",
        SendDailyReportView.as_view(),
        name="api-send-daily-report",
    ),
    re_path(
        r"^api/operational/send-weekly-report/?$",
        SendWeeklyReportView.as_view(),
        name="api-send-weekly-report",
    ),
    re_path(
        r"^api/operational/data-quality/?$", DataQualityView.as_view(), name="api-data-quality"
    ),
    re_path(r"^api/operational/kpi-alerts/?$", KpiAlertsView.as_view(), name="api-kpi-alerts"),
    re_path(r"^api/operational/kpi-status/?$", KpiStatusView.as_view(), name="api-kpi-status"),
]
