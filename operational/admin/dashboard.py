"""The dashboard's pages, for staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from analytics import definitions
from analytics.admin.charts import heat_rows
from operational import demo_data, first_steps, kpi_sources
from operational.catalogue import CATALOGUE, Group
from operational.dashboard import COHORT_WEEKS, Dashboard, gather
from operational.kpi_detail import kpi_detail

PERSONS_PER_PAGE = 25

View = Callable[..., HttpResponse]


def staff_page(view: View) -> View:
    """Let staff in and send others to the login page; a refresh gets 401 or 403 instead of it."""
    page = admin.site.admin_view(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_refresh(request) and not admin.site.has_permission(request):
            return HttpResponse(status=403 if request.user.is_authenticated else 401)
        return page(request, *args, **kwargs)

    return guarded


def is_refresh(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


@staff_page
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    page = gather(now=now)
    context: dict[str, Any] = {"page": page, "updated": now}
    if isinstance(page, Dashboard):
        weeks = range(1, COHORT_WEEKS + 1)
        context |= {
            "ready": True,
            "heat": heat_rows(page.cohorts, weeks=len(weeks) - 1),
            "week_numbers": weeks,
        }
    else:
        context |= {"ready": False, "steps": first_steps.first_steps()}
    if is_refresh(request):
        return TemplateResponse(request, "admin/operational/_live.html", context)
    return _page(request, "dashboard", title="Dashboard", **context)


@staff_page
@require_GET
def kpi(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in CATALOGUE:
        raise Http404(f"There is no KPI {slug}.")
    as_of = definitions.last_complete_day()
    detail = kpi_detail(slug, as_of=as_of)
    context: dict[str, Any] = {"detail": detail, "groups": detail.status.kpi.people}
    if detail.status.kpi.people:
        group = _asked_group(request)
        persons = kpi_sources.people(slug, as_of=as_of, group=group)
        persons = persons.order_by("-signup_at", "pk").prefetch_related("distinct_ids")
        paginator = Paginator(persons, PERSONS_PER_PAGE)
        context |= {"group": group, "persons": paginator.get_page(request.GET.get("page"))}
    return _page(request, "kpi", title=detail.status.kpi.name, **context)


@staff_page
@require_http_methods(["GET", "POST"])
def remove_demo(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("analytics.delete_person"):
        raise PermissionDenied
    if request.method == "POST":
        persons = demo_data.remove(now=timezone.now())
        messages.success(request, f"Demo data removed: {persons:,} persons and their events.")
        return redirect("operational:dashboard")
    return _page(request, "remove_demo", title="Remove demo data", persons=demo_data.persons())


def _asked_group(request: HttpRequest) -> Group:
    try:
        return Group(request.GET.get("group", Group.MISSED))
    except ValueError as error:
        raise Http404(str(error)) from error


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), **context}
    return TemplateResponse(request, f"admin/operational/{name}.html", context)
