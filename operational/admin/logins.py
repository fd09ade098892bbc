"""Failed logins that delay the next ones, styled like the admin. Deleting one ends its delay."""

from django.contrib import admin
from django.http import HttpRequest

from common.admin.model_admin import ModelAdmin
from operational.models import LoginLimit


@admin.register(LoginLimit)
class LoginLimitAdmin(ModelAdmin):
    list_display = ["kind", "subject", "failures", "retry_at"]
    list_filter = ["kind"]
    search_fields = ["subject"]
    fields = readonly_fields = list_display
    ordering = ["-retry_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LoginLimit | None = None) -> bool:
        return False
