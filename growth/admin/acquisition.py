"""The acquisition page: spend, CAC, payback and LTV:CAC, by channel and signup month."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from analytics.api.parameters import DayQuery, parsed
from common.admin.pages import require_permission, staff_page
from common.formatting import counted
from growth.spend import acquisition, recording, spending


@staff_page("growth.view_spendday")
@require_http_methods(["GET", "HEAD", "POST"])
def acquisition_page(request: HttpRequest) -> HttpResponse:
    """Show the numbers as of a day; POST converts held spend for which there is a rate."""
    if request.method == "POST":
        require_permission(request, "growth.change_spendday")
        rows = recording.convert_held(now=timezone.now())
        messages.success(request, f"Converted: {counted(len(rows), 'day')} of spend.")
        return redirect("growth:acquisition")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Acquisition",
        "values": request.GET.dict(),
        "is_recorded": spending.is_recorded(),
        "may_enter": request.user.has_perm("growth.change_spendday"),
        "convertible": len(recording.convertible(now=timezone.now())),
    }
    try:
        query = parsed(DayQuery, request.GET)
    except ValidationError as error:
        context["errors"] = error.detail
    else:
        report = acquisition.report(as_of=query["as_of"])
        ltv = report.overall.ltv
        context |= {
            "report": report,
            "overall": report.overall,
            "ltv": ltv,
            "currency": spending.currency(),
        }
    return TemplateResponse(request, "admin/growth/acquisition.html", context)
