"""The dashboard and the KPI pages, for staff."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from analytics.admin.charts import heat_rows
from analytics.people.persons import count_demo_persons
from analytics.rollups import definitions
from common.admin.pages import is_refresh, staff_page
from common.formatting import counted
from operational.actions import priority_actions
from operational.admin.pages import page
from operational.alerting.alerts import has_checked, open_alerts
from operational.calculations.catalogue import CATALOGUE, KpiGroup
from operational.kpis import sources
from operational.models import AlertKind, Report
from operational.overview import demo_data, first_steps
from operational.overview.dashboard import COHORT_WEEKS, Dashboard, gather
from operational.overview.kpi_detail import kpi_detail
from operational.overview.real_time import real_time_metrics
from operational.quality import data_quality

PERSONS_PER_PAGE = 25
TOP_ACTIONS = 3


@staff_page("operational.view_kpireading")
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    updated = timezone.now()
    gathered = gather(now=updated)
    context: dict[str, Any] = {"page": gathered, "updated": updated}
    if isinstance(gathered, Dashboard):
        weeks = range(1, COHORT_WEEKS + 1)
        context |= {
            "ready": True,
            "heat": heat_rows(gathered.cohorts, weeks=len(weeks) - 1),
            "week_numbers": weeks,
        }
    else:
        context |= {"ready": False, "steps": first_steps.first_steps()}
    if is_refresh(request):
        return TemplateResponse(request, "admin/operational/_live.html", context)
    return page(request, "dashboard", title="Dashboard", **context)


@staff_page("operational.view_kpireading")
@require_GET
def now(request: HttpRequest) -> HttpResponse:
    """Return the part of the dashboard with its own refresh: now, alerts, priorities, health."""
    context = {
        "metrics": real_time_metrics(timezone.now()),
        "alerts": open_alerts(),
        "are_kpis_checked": has_checked(AlertKind.KPI),
        "actions": priority_actions.active()[:TOP_ACTIONS],
        "quality": data_quality.latest(),
        "report": Report.objects.defer("content").order_by("-pk").first(),
    }
    return TemplateResponse(request, "admin/operational/_now.html", context)


@staff_page("operational.view_kpireading")
@require_GET
def kpi(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in CATALOGUE:
        raise Http404(f"There is no KPI {slug!r}.")
    as_of = definitions.last_complete_day()
    detail = kpi_detail(slug, as_of=as_of)
    context: dict[str, Any] = {"detail": detail}
    if detail.status.kpi.people and request.user.has_perm("analytics.view_person"):
        group = _requested_group(request)
        persons = sources.people(slug, as_of=as_of, group=group)
        persons = persons.order_by("-signup_at", "pk").prefetch_related("distinct_ids")
        paginator = Paginator(persons, PERSONS_PER_PAGE)
        context |= {
            "groups": detail.status.kpi.people,
            "group": group,
            "persons": paginator.get_page(request.GET.get("page")),
        }
    return page(request, "kpi", title=detail.status.kpi.name, **context)


@staff_page("analytics.delete_person")
@require_http_methods(["GET", "POST"])
def remove_demo(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        persons = demo_data.remove(now=timezone.now())
        removed = counted(persons, "person")
        messages.success(request, f"Demo data removed: {removed} and their events.")
        return redirect("operational:dashboard")
    return page(request, "remove_demo", title="Remove demo data", persons=count_demo_persons())


def _requested_group(request: HttpRequest) -> KpiGroup:
    try:
        return KpiGroup(request.GET.get("group", KpiGroup.MISSED))
    except ValueError as error:
        raise Http404(str(error)) from error
