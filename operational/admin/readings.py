"""The recorded KPIs, read-only."""

from django.contrib import admin
from django.http import HttpRequest

from common.admin.model_admin import ModelAdmin
from common.calculations.statistics import Status
from common.formatting import STATUS_NAMES
from operational.calculations.catalogue import CATALOGUE, kpi_name
from operational.models import KpiReading
from operational.templatetags.figures import figure


@admin.register(KpiReading)
class KpiReadingAdmin(ModelAdmin):
    list_display = ["day", "name", "value_figure", "status_name", "first_reported", "recorded_at"]
    list_filter = ["kpi", "status"]
    date_hierarchy = "day"
    ordering = ["-day", "kpi"]
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: KpiReading | None = None,
    ) -> bool:
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,
        obj: KpiReading | None = None,
    ) -> bool:
        return False

    @admin.display(description="KPI", ordering="kpi")
    def name(self, reading: KpiReading) -> str:
        return kpi_name(reading.kpi)

    @admin.display(description="Value")
    def value_figure(self, reading: KpiReading) -> str:
        return _figure(reading.kpi, reading.value)

    @admin.display(description="Status", ordering="status")
    def status_name(self, reading: KpiReading) -> str:
        return STATUS_NAMES[Status(reading.status)]

    @admin.display(description="First reported")
    def first_reported(self, reading: KpiReading) -> str:
        return _figure(reading.kpi, reading.first_value)


def _figure(slug: str, value: float | None) -> str:
    kpi = CATALOGUE.get(slug)
    return figure(value, kpi.unit) if kpi else str(value)
