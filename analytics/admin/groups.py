"""Customer groups: the accounts, companies or teams that events name."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.models import Group
from common.admin.read_only import ReadOnlyAdmin
from common.calculations.shortening import shortened, shortened_text
from common.formatting import UNKNOWN, pretty_json
from common.templatetags.numbers import words


@admin.register(Group)
class CustomerGroupAdmin(ReadOnlyAdmin):
    list_display = ["group_key", "group_type", "name", "created_at"]
    list_filter = ["group_type"]
    fields = ["group_type", "group_key", "created_at", "content", "proved_names", "not_set"]
    search_fields = ["group_key__startswith"]
    search_help_text = "The beginning of a group's key"
    ordering = ["group_type", "group_key"]

    @admin.display(description="Name")
    def name(self, group: Group) -> str:
        return shortened_text(str(group.properties.get("name", UNKNOWN)))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        group = self.get_object(request, object_id) if "full" in request.GET else None
        if group is not None and self.has_view_permission(request, group):
            return JsonResponse(group.properties)
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page

    @admin.display(description="Properties")
    def content(self, group: Group) -> SafeString:
        return format_html(
            '<pre class="pl-payload">{}</pre><a href="?full=1">Uncut, as JSON</a>',
            pretty_json(shortened(group.properties), sort_keys=True),
        )

    @admin.display(description="Proved properties")
    def proved_names(self, group: Group) -> str:
        return shortened_text(", ".join(sorted(group.proved))) or "None"

    @admin.display(description="Refused properties")
    def not_set(self, group: Group) -> str:
        refused = (f"{name}: {words(reason)}" for name, reason in group.refused.items())
        return "; ".join(refused) or "None"
