"""Customer groups: the accounts, companies or teams that events name."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.models import Group
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import UNKNOWN, pretty_json


@admin.register(Group)
class CustomerGroupAdmin(ReadOnlyAdmin):
    list_display = ["group_key", "group_type", "name", "created_at"]
    list_filter = ["group_type"]
    fields = ["group_type", "group_key", "created_at", "content"]
    search_fields = ["group_key__startswith"]
    search_help_text = "The beginning of a group's key"
    ordering = ["group_type", "group_key"]

    @admin.display(description="Name")
    def name(self, group: Group) -> str:
        return str(group.properties.get("name", UNKNOWN))

    @admin.display(description="Properties")
    def content(self, group: Group) -> SafeString:
        return format_html(
            '<pre class="pl-payload">{}</pre>', pretty_json(group.properties, sort_keys=True)
        )
