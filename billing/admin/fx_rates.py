"""Exchange rates and revenue settings."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from billing.admin.history import ValuesInHistory
from billing.models import FxRate, RevenueSettings
from billing.revenue import ledger
from billing.revenue import settings as revenue_settings
from common.admin.model_admin import ModelAdmin
from common.formatting import number


class FxRateForm(forms.ModelForm):
    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).lower()

    def clean_into(self) -> str:
        return str(self.cleaned_data["into"]).lower()


@admin.register(FxRate)
class FxRateAdmin(ValuesInHistory, ModelAdmin):
    form = FxRateForm
    list_display = ["day", "currency", "into", "rate"]
    list_filter = ["currency", "into"]
    ordering = ["-day", "currency"]
    change_form_before_template = "admin/billing/_fx_rate_intro.html"
    list_before_template = "admin/billing/_fx_rate_intro.html"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str]:
        return {"into": revenue_settings.currency_in_force(), **request.GET.dict()}

    def save_model(
        self, request: HttpRequest, obj: FxRate, form: forms.ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if freed := ledger.recount_held(now=timezone.now()):
            messages.success(request, f"Updated movements: {number(freed)}.")


@admin.register(RevenueSettings)
class RevenueSettingsAdmin(ValuesInHistory, ModelAdmin):
    list_display = ["reporting_currency", "gross_margin_percent"]
    fields = ["reporting_currency", "gross_margin_percent"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not RevenueSettings.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(
        self, request: HttpRequest, obj: RevenueSettings | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: RevenueSettings, form: forms.ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if needed := revenue_settings.rebuild_needed():
            messages.warning(request, needed)
