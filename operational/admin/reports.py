"""The archive of reports, their previews and tests, and their subscribers."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common import formatting
from common.admin.model_admin import ModelAdmin
from common.admin.pages import staff_page
from common.formatting import number
from operational.admin.pages import page
from operational.models import Report, ReportKind, ReportSubscriber
from operational.reports import making, report_schedule, reports


@staff_page("operational.view_report")
@require_GET
def reports_page(request: HttpRequest) -> HttpResponse:
    context = {
        "reports": reports.archive(),
        "recipients": [(kind, report_schedule.recipients(kind)) for kind in ReportKind],
        "late": report_schedule.overdue(now=timezone.now()),
        "email": cast("User", request.user).email,
    }
    return page(request, "reports", title="Reports", **context)


@staff_page("operational.view_report")
@require_GET
def report_page(request: HttpRequest, pk: int) -> HttpResponse:
    stored = get_object_or_404(Report, pk=pk)
    report = making.from_json(stored.content)
    return page(request, "report", title=str(stored), report=report, made=stored.made_at)


@staff_page("operational.view_report")
@require_GET
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    report = making.make(_kind(kind), now=timezone.now())
    return page(request, "report", title=f"Preview of the {kind} report", report=report)


@staff_page("operational.add_report")
@require_POST
def send_test(request: HttpRequest, kind: str) -> HttpResponse:
    """Queue a report as of now to the user."""
    email = cast("User", request.user).email
    if not email:
        messages.error(request, "Your account has no e-mail address. Add one under Users.")
    elif not settings.PLUMBLINE_EMAIL_FROM:
        messages.error(request, "No e-mails are sent because PLUMBLINE_EMAIL_FROM is not set.")
    else:
        reports.post_test(_kind(kind), email, now=timezone.now())
        messages.success(
            request, f"Test queued for {email}. Deliveries shows its outcome in a moment."
        )
    return redirect("operational:reports")


@staff_page("operational.add_report")
@require_POST
def send_now(request: HttpRequest, kind: str) -> HttpResponse:
    """Queue the last period's report to the recipients who do not have it yet."""
    try:
        all_deliveries = reports.send_now(_kind(kind), now=timezone.now())
    except reports.NoRecipients as error:
        messages.error(request, str(error))
        return redirect("operational:reports")
    queued = sum(delivery.status != "sent" for delivery in all_deliveries)
    recipients = formatting.counted(len(all_deliveries), "recipient")
    messages.success(
        request,
        f"Queued for {number(queued)} of {recipients}." if queued else "Everyone has it already.",
    )
    return redirect("operational:reports")


def _kind(name: str) -> ReportKind:
    if name not in ReportKind.values:
        raise Http404(f"There is no {name} report.")
    return ReportKind(name)


@csrf_exempt  # mail clients post without one of our pages; the token identifies the subscriber
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribe with one click or POST; a GET, as link scanners send, only shows a button."""
    subscription = reports.subscription(token)
    if subscription is None:
        raise Http404("This link does not belong to a subscription.")
    subscriber, kind = subscription
    if request.method == "POST":
        wanted = "again" in request.POST
        reports.set_subscribed(subscriber, kind, wanted=wanted)
        setattr(subscriber, kind.value, wanted)
    context = {"kind": kind, "subscribed": getattr(subscriber, kind.value)}
    return TemplateResponse(request, "operational/unsubscribe.html", context)


class SubscriberForm(forms.ModelForm):
    class Meta:
        model = ReportSubscriber
        fields = ["email", "user", "time_zone", "daily", "weekly"]


@admin.register(ReportSubscriber)
class ReportSubscriberAdmin(ModelAdmin):
    form = SubscriberForm
    list_display = ["email", "time_zone", "daily", "weekly", "user"]
    list_select_related = ["user"]
    search_fields = ["email"]
