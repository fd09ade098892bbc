"""The sidebar's links to the state of the company, its staff and its background work."""

from django.http import HttpRequest
from django.urls import reverse

from common.admin.sidebar import SidebarGroup, list_link, page_link


def _is_dashboard(request: HttpRequest) -> bool:
    """Return whether the dashboard or a KPI is open; other addresses begin the same."""
    is_kpi = "/admin/operational/kpis/" in request.path
    return is_kpi or request.path == reverse("operational:dashboard")


GROUPS = [
    SidebarGroup(
        "",
        [
            page_link("Dashboard", "speed", "operational:dashboard") | {"active": _is_dashboard},
            page_link("Priority actions", "checklist", "operational:actions"),
            page_link("Alerts", "notifications", "operational:alerts"),
            page_link("Reports", "summarize", "operational:reports"),
            page_link("Data quality", "fact_check", "operational:data-quality"),
            list_link("Goals", "flag", "operational.kpigoal"),
            list_link("KPI readings", "history", "operational.kpireading"),
        ],
        position=0,
    ),
    SidebarGroup(
        "Capture",
        [list_link("Ignored findings", "visibility_off", "operational.qualityignore")],
        after="Rejected events",
    ),
    SidebarGroup(
        "Access",
        [
            list_link("Users", "person", "auth.user"),
            list_link("Groups", "group", "auth.group"),
            list_link("API tokens", "key", "operational.apitoken"),
            list_link("Login limits", "lock", "operational.loginlimit"),
        ],
        position=50,
    ),
    SidebarGroup(
        "Background work",
        [
            page_link("System health", "health_and_safety", "operational:system-health"),
            list_link("Deliveries", "outgoing_mail", "operational.delivery"),
            list_link("Report subscribers", "mark_email_read", "operational.reportsubscriber"),
            list_link("Alert channels", "campaign", "operational.alertchannel"),
            list_link("Schedules", "schedule", "django_celery_beat.periodictask"),
            list_link("Job history", "work_history", "operational.jobrun"),
        ],
        position=60,
    ),
]
