"""Project keys: create, limit and revoke them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from analytics.admin.person_pages import page
from analytics.capture import capture, snippets
from analytics.capture.project_keys import new_server_token, stored_token, used_today
from analytics.models import ProjectKey
from common.admin.model_admin import ModelAdmin, row_number
from common.formatting import number
from common.postgres import raw_cursor


class WithUseToday(ChangeList):
    """A page of keys with the number of events they received today."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        _add_use_today(self.result_list)


@admin.register(ProjectKey)
class ProjectKeyAdmin(ModelAdmin):
    list_display = ["name", "kind", "state", "used_today", "last_used_at", "rate_limit"]
    list_filter = ["kind", ("revoked_at", admin.EmptyFieldListFilter)]
    radio_fields = {"kind": admin.VERTICAL}
    search_fields = ["name"]
    ordering = ["name"]
    actions = ["revoke"]
    actions_submit_line = ["revoke_this"]
    change_form_outer_before_template = "admin/analytics/_project_key.html"

    def get_fields(self, request: HttpRequest, obj: ProjectKey | None = None) -> list[str]:
        fields = ["name", "rate_limit", "daily_quota"]
        if obj is None:
            return ["kind", *fields]
        trust = [] if obj.is_server else ["mail_claimed_addresses"]
        return [*fields, *trust, *self.get_readonly_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: ProjectKey | None = None) -> list[str]:
        return ["kind", "used_today", "last_used_at", "created_at", "revoked_at"] if obj else []

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        return WithUseToday

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ProjectKey | None:
        key: ProjectKey | None = super().get_object(request, object_id, from_field)
        _add_use_today([key] if key else [])
        return key

    def has_delete_permission(self, request: HttpRequest, obj: ProjectKey | None = None) -> bool:
        return False  # captured events refer to it

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        key = ProjectKey.objects.filter(pk=row_number(object_id)).first()
        steps = snippets.sending_snippets(key.token) if key and not key.is_server else []
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {"snippets": steps}
        )
        return response

    def save_model(self, request: HttpRequest, obj: ProjectKey, form: Any, change: bool) -> None:
        if obj.is_server and not change:
            vars(obj)["secret"] = token = new_server_token()  # for `response_add`
            obj.token = stored_token(token)
        super().save_model(request, obj, form, change)
        capture.project_keys.forget()  # other processes do so within seconds

    def response_add(
        self, request: HttpRequest, obj: ProjectKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        if secret := vars(obj).get("secret"):  # this page alone shows it
            return page(
                request,
                "new_server_key",
                title="New server key",
                key=obj,
                secret=secret,
                snippets=snippets.server_snippets(),
            )
        messages.success(request, f"{obj} is ready: find its token and how to use it below.")
        return redirect("admin:analytics_projectkey_change", obj.pk)

    @admin.display(description="State")
    def state(self, key: ProjectKey) -> str:
        return "Revoked" if key.revoked_at else "In use"

    @admin.display(description="Events today (UTC)")
    def used_today(self, key: ProjectKey) -> str:
        used = vars(key)["events_today"]
        return (
            number(used)
            if key.daily_quota is None
            else f"{number(used)} of {number(key.daily_quota)}"
        )

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ProjectKey]) -> None:
        revoked = capture.revoke(keys, now=timezone.now())
        messages.success(
            request, f"Keys revoked: {revoked}. Events sent with them are now refused."
        )

    @admin.action(description="Revoke this key", permissions=["change"])
    def revoke_this(self, request: HttpRequest, obj: ProjectKey) -> None:
        self.revoke(request, ProjectKey.objects.filter(pk=obj.pk))


def _add_use_today(keys: Any) -> None:
    cursor = raw_cursor()
    used = used_today(cursor, [key.pk for key in keys], timezone.now())
    for key in keys:
        vars(key)["events_today"] = used.get(key.pk, 0)
