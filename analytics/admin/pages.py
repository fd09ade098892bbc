"""The pages of insights, from retention to single events, and of capture health."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer

from analytics import health
from analytics.admin import charts
from analytics.api.active_users import GRANULARITIES, ActiveUsersQuery
from analytics.api.events import EventsQuery
from analytics.api.funnel import FunnelQuery
from analytics.api.parameters import AsOfRangeQuery, parsed
from analytics.api.retention import CohortQuery
from analytics.insights import activation as activations
from analytics.insights import active_users as active
from analytics.insights import funnels
from analytics.insights import retention as retentions
from analytics.insights.events import any_recorded, page_of_events
from analytics.rollups import definitions
from common.admin.pages import staff_page
from common.api.pagination import next_page

RETENTION_DAYS = [1, 7, 14, 30, 60, 90]
RETENTION_WEEKS = 12
DEFAULT_DAYS = {"day": 90, "week": 7 * 26, "month": 730}  # without a range in the form
FEWEST_STEPS, MOST_STEPS = 3, 10


@staff_page("analytics.view_counter")
@require_GET
def retention(request: HttpRequest) -> HttpResponse:
    form = _form_context(CohortQuery, request, days=7 * 26)
    query = form["query"]
    if query is None:
        return _page(request, "retention", title="Retention", **form)
    zone = definitions.in_force().time_zone
    cohorts = {
        "cohort": query["cohort"],
        "cohorts_from": query["first"],
        "cohorts_to": query["last"],
        "as_of": query["as_of"],
    }
    rows = retentions.weekly_retention(weeks=RETENTION_WEEKS, **cohorts)
    return _page(
        request,
        "retention",
        title="Retention",
        days=retentions.day_retention(days=RETENTION_DAYS, **cohorts),
        definition=retentions.definition(cohort=query["cohort"], time_zone=zone),
        rows=charts.heat_rows(rows, weeks=RETENTION_WEEKS),
        week_numbers=range(RETENTION_WEEKS + 1),
        weekly_definition=retentions.weekly_definition(cohort=query["cohort"], time_zone=zone),
        **form,
    )


@staff_page("analytics.view_counter")
@require_GET
def active_users(request: HttpRequest) -> HttpResponse:
    granularity = request.GET.get("granularity", "day")
    form = _form_context(ActiveUsersQuery, request, days=DEFAULT_DAYS.get(granularity, 90))
    query = form["query"]
    title = "Active users"
    if query is None:
        return _page(request, "active_users", title=title, **form)
    periods: Any = GRANULARITIES[query["granularity"]](
        first=query["first"], last=query["last"], as_of=query["as_of"]
    )
    return _page(
        request,
        "active_users",
        title=title,
        granularity=query["granularity"],
        periods=periods[::-1],
        chart=charts.ACTIVE_USERS[query["granularity"]](periods),
        any_activity=any(period.active for period in periods),
        definition=active.definition(time_zone=definitions.in_force().time_zone),
        **form,
    )


@staff_page("analytics.view_counter")
@require_GET
def activation(request: HttpRequest) -> HttpResponse:
    form = _form_context(AsOfRangeQuery, request, days=365)
    query = form["query"]
    if query is None:
        return _page(request, "activation", title="Activation", **form)
    in_force = definitions.in_force()
    report = activations.activation_report(
        signups_from=query["first"], signups_to=query["last"], as_of=query["as_of"]
    )
    return _page(
        request,
        "activation",
        title="Activation",
        report=report,
        definition=activations.definition(
            signup_event=in_force.signup_event,
            activation_event=in_force.activation_event,
            time_zone=in_force.time_zone,
        ),
        **form,
    )


@staff_page("analytics.view_counter")
@require_GET
def funnel(request: HttpRequest) -> HttpResponse:
    recorded = funnels.recorded_events()
    chosen = [step for step in request.GET.getlist("steps") if step]
    boxes = min(max(FEWEST_STEPS, len(chosen) + 1), MOST_STEPS)
    context: dict[str, Any] = {
        "recorded": recorded,
        "boxes": [*chosen, *[""] * (boxes - len(chosen))][:MOST_STEPS],
    }
    if not chosen:
        values = {"within_hours": "168", "from": _days_ago(90), "to": "", "as_of": ""}
        return _page(request, "funnel", title="Funnel", values=values, **context)
    form = _form_context(FunnelQuery, request, days=90)
    if query := form["query"]:
        context["steps"] = funnels.funnel(
            steps=query["steps"],
            within=timedelta(hours=query["within_hours"]),
            entered_from=query["first"],
            entered_to=query["last"],
            as_of=query["as_of"],
        )
        context["definition"] = funnels.definition(
            hours=query["within_hours"], time_zone=definitions.in_force().time_zone
        )
    return _page(request, "funnel", title="Funnel", **form, **context)


@staff_page("analytics.view_event")
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {"values": request.GET.dict(), "recorded": funnels.recorded_events()}
    try:
        page = page_of_events(**parsed(EventsQuery, request.GET))
    except ValidationError as error:
        context["errors"] = error.detail
    else:
        context["events"] = page.events
        context["next"] = next_page(request.GET, *page.end.cursor) if page.end else None
    return _page(request, "events", title="Events", **context)


@staff_page("analytics.view_capturehour")
@require_GET
def capture_health(request: HttpRequest) -> HttpResponse:
    capture = health.capture_health(timezone.now())
    context = {
        "health": capture,
        "forwarding_on": settings.PLUMBLINE_FORWARDING,
        "posthog_host": settings.POSTHOG_HOST,
        "problems": (*health.rollup_problems(), *capture.problems),
        "no_events": False,  # waiting requests explain why
    }
    return _page(request, "capture_health", title="Capture health", **context)


def _form_context(query: type[Serializer], request: HttpRequest, *, days: int) -> dict[str, Any]:
    """Return the valid `query` or None, the `errors` by field, and the `values` of the form.

    By default the range begins `days` days ago, or with the first activity.
    """
    values = request.GET.copy()
    values.setdefault("from", _days_ago(days))
    try:
        return {"query": parsed(query, values), "values": values.dict()}
    except ValidationError as error:
        return {"query": None, "values": values.dict(), "errors": error.detail}


def _days_ago(days: int) -> str:
    last = definitions.last_complete_day()
    return active.default_first_day(last=last, longest=timedelta(days=days)).isoformat()


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "problems": health.rollup_problems(),
        "no_events": not any_recorded(),
        **context,
    }
    return TemplateResponse(request, f"admin/analytics/{name}.html", context)
