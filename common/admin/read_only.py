"""Lists of rows that staff can read and only Plumbline writes."""

from django.db.models import Model
from django.http import HttpRequest

from common.admin.model_admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    list_per_page = 50
    show_full_result_count = False  # counting all of a large table costs more than the page

    class Media:
        css = {"all": ["analytics/pages.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
