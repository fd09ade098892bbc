"""API tokens, which can be listed and revoked here. `manage.py create_token` creates them."""

from typing import Any

import knox.admin  # noqa: F401  registers the list that is replaced here
from django.contrib import admin
from django.http import HttpRequest
from knox.models import AuthToken
from unfold.admin import ModelAdmin

admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class AuthTokenAdmin(ModelAdmin):
    list_display = ["user", "token_key", "created", "expiry"]
    list_select_related = ["user"]
    search_fields = ["user__username", "token_key"]
    fields = readonly_fields = ["user", "token_key", "created", "expiry"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuthToken | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if "delete_selected" in actions:
            function, name, _ = actions["delete_selected"]
            actions["delete_selected"] = (function, name, "Revoke the selected tokens")
        return actions
