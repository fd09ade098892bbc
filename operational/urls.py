from django.urls import URLPattern, path, re_path

from operational import probes
from operational.admin import dashboard
from operational.api.alignment_score import AlignmentScoreView
from operational.api.kpi_status import KpiStatusView
from operational.api.real_time_metrics import RealTimeMetricsView
from operational.api.system_health import SystemHealthView

app_name = "operational"
urlpatterns: list[URLPattern] = [
    # Placed before the admin's own addresses, of which they replace the start pages.
    path("admin/operational/", dashboard.dashboard, name="dashboard"),
    path("admin/operational/kpis/<slug:slug>/", dashboard.kpi, name="kpi"),
    path("admin/operational/demo/remove/", dashboard.remove_demo, name="remove-demo"),
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
    path("livez", probes.livez, name="livez"),
    path("readyz", probes.readyz, name="readyz"),
    re_path(r"^api/operational/kpi-status/?$", KpiStatusView.as_view(), name="api-kpi-status"),
]
