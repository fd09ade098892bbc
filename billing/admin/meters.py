"""Usage meters."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest

from analytics.calculations.event_totals import Aggregation
from analytics.insights import events
from billing.admin.history import ValuesInHistory
from billing.models import UsageMeter
from common.admin.model_admin import ModelAdmin


@admin.register(UsageMeter)
class UsageMeterAdmin(ValuesInHistory, ModelAdmin):
    list_display = ["name", "slug", "counts", "period"]
    fields = ["name", "slug", "event", "aggregation", "property", "period", "claims_count"]
    ordering = ["slug"]
    change_form_before_template = "admin/billing/_meter_intro.html"

    def get_readonly_fields(self, request: HttpRequest, obj: UsageMeter | None = None) -> list[str]:
        return ["slug"] if obj else []

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: UsageMeter | None = None
    ) -> dict[str, list[str]]:
        return {} if obj else {"slug": ["name"]}

    def save_model(
        self, request: HttpRequest, obj: UsageMeter, form: forms.ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if obj.event and not events.is_recorded(obj.event):
            messages.warning(
                request,
                f"No event “{obj.event}” has been recorded yet: the meter stays at 0 until then."
                " If your product already sends it, check the name.",
            )

    @admin.display(description="Counts")
    def counts(self, meter: UsageMeter) -> str:
        claims = ", claims included" if meter.claims_count else ""
        if meter.aggregation == Aggregation.COUNT:
            return (f"“{meter.event}” events" if meter.event else "All events") + claims
        aggregate = "Sum" if meter.aggregation == Aggregation.SUM else "Distinct values"
        counted = f"“{meter.event}” events" if meter.event else "all events"
        return f"{aggregate} of “{meter.property}” in {counted}{claims}"
