"""The alert pages: current state, notifications, and what staff can do about an alert."""

from datetime import timedelta
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from analytics.rollups import definitions
from common.admin.model_admin import row_number
from common.admin.pages import require_permission, staff_page
from operational.admin.fields import PercentField
from operational.admin.pages import page
from operational.alerting import alerts, kpi_alerts
from operational.calculations.alert import is_silenced
from operational.calculations.kpi import Severity
from operational.kpis import goals
from operational.messages import deliveries
from operational.models import Alert, AlertChannel, AlertKind

SILENCES = {"1": "1 hour", "24": "1 day", "168": "1 week", "720": "30 days"}


class SilenceForm(forms.Form):
    hours = forms.ChoiceField(choices=[*SILENCES.items()], label="Duration")
    reason = forms.CharField(max_length=200, label="Reason")


class PolicyForm(forms.ModelForm):
    needed = forms.IntegerField(min_value=1, max_value=30, label="N: readings that breach")
    window = forms.IntegerField(min_value=1, max_value=30, label="M: latest readings")
    margin = PercentField(
        min_value=0,
        max_value=100,
        label="Recovery margin, in %",
        help_text="An alert resolves once a value passes its threshold by this margin",
    )
    reminder_days = forms.IntegerField(
        min_value=0, max_value=365, label="Days between reminders", help_text="0: no reminders"
    )

    class Meta:
        model = Alert
        fields = ["needed", "window", "margin", "reminder_days"]

    def clean_window(self) -> int:
        window: int = self.cleaned_data["window"]
        if window < self.cleaned_data.get("needed", 1):
            raise forms.ValidationError("M cannot be less than N.")
        return window


@staff_page("operational.view_alert")
@require_GET
def alerts_page(request: HttpRequest) -> HttpResponse:
    order = [Severity.CRITICAL, Severity.WARNING, Severity.OK]
    rows = list(Alert.objects.all())
    rows.sort(key=lambda alert: (order.index(Severity(alert.firing)), alert.name))
    kinds = [(kind.label, [row for row in rows if row.kind == kind]) for kind in AlertKind]
    context = {
        "firing": alerts.open_alerts(),
        "kinds": kinds,
        "recipients": deliveries.alert_recipients(),
        "emails": settings.ADMIN_EMAIL,
        "sends_email": bool(settings.PLUMBLINE_EMAIL_FROM),
        "channels": AlertChannel.objects.order_by("name"),
    }
    return page(request, "alerts", title="Alerts", **context)


@staff_page("operational.change_alert")
@require_POST
def check_alerts(request: HttpRequest) -> HttpResponse:
    notifications = kpi_alerts.check(now=timezone.now())
    deliveries.send_soon()
    changes = ", ".join(notification.headline for notification in notifications)
    messages.success(request, f"Checked. {changes or 'Nothing changed'}.")
    return redirect("operational:alerts")


@staff_page("operational.view_alert")
def alert_page(request: HttpRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert, pk=pk)
    policy = PolicyForm(request.POST or None, instance=alert, prefix="policy")
    if request.method == "POST":
        require_permission(request, "operational.change_alert")
        if policy.is_valid():
            policy.instance.save(update_fields=PolicyForm.Meta.fields)
            messages.success(request, "Saved. The next check uses these settings.")
            return redirect("operational:alert", pk)
    context = {
        "alert": alert,
        "is_firing": alert.firing != Severity.OK,
        "is_silenced": is_silenced(alert.silenced_until, timezone.now()),
        "policy": policy,
        "silence": SilenceForm(),
        "changes": alert.changes.select_related("by")[:100],
    }
    if alert.kind == AlertKind.KPI:
        goal = goals.in_force().get(alert.subject)
        if goal is None:
            raise Http404("This KPI no longer exists.")
        context["backtest"] = kpi_alerts.backtest(goal=goal, as_of=definitions.last_complete_day())
    return page(request, "alert", title=f"Alert: {alert.name}", **context)


@staff_page("operational.change_alert")
@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert, pk=pk)
    alerts.acknowledge(alert, by=cast("User", request.user), now=timezone.now())
    messages.success(request, "Acknowledged: no more reminders until it gets worse.")
    return redirect("operational:alert", pk)


@staff_page("operational.change_alert")
@require_POST
def silence(request: HttpRequest, pk: int) -> HttpResponse:
    """Silence an alert for the hours in the form; without hours, end its silence."""
    alert, now, by = get_object_or_404(Alert, pk=pk), timezone.now(), cast("User", request.user)
    form = SilenceForm(request.POST)
    if "hours" not in request.POST:
        alerts.silence(alert, until=None, reason="", by=by, now=now)
        messages.success(request, "Silence ended.")
    elif form.is_valid():
        until = now + timedelta(hours=int(form.cleaned_data["hours"]))
        alerts.silence(alert, until=until, reason=form.cleaned_data["reason"], by=by, now=now)
        messages.success(request, f"Silenced for {SILENCES[form.cleaned_data['hours']]}.")
    else:
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {errors[0]}")
    return redirect("operational:alert", pk)


@staff_page("operational.change_alert")
@require_POST
def send_test(request: HttpRequest) -> HttpResponse:
    """Queue a test to an address of ADMIN_EMAIL, or to a channel."""
    to: str | AlertChannel = request.POST.get("email", "")
    if to not in settings.ADMIN_EMAIL:
        to = get_object_or_404(AlertChannel, pk=row_number(request.POST.get("channel", "")))
    deliveries.post_test(to, now=timezone.now())
    messages.success(request, f"Test queued for {to}. Deliveries shows its outcome in a moment.")
    return redirect("operational:alerts")
