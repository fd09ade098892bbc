"""Erasing and exporting a person, and the receipts of erasures."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from analytics.admin.person_pages import page
from analytics.api.persons import export_response
from analytics.models import Erasure, Person
from analytics.privacy import erasure
from common.admin.pages import require_permission
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import counted, number

ERASE, EXPORT = "analytics.erase_person", "analytics.export_person"


def erase(request: HttpRequest, person: Person) -> HttpResponse:
    """Preview erasing a person, and erase it when confirmed.

    The receipt is the response to the confirmation: it names ids, so it is not stored.
    """
    search_events = (request.POST or request.GET).get("search_events") == "on"
    context: dict[str, Any] = {"person": person, "search_events": search_events}
    if request.method == "POST":
        receipt = erasure.erase([person.pk], by=request.user, search_events=search_events)
        context["erased"] = True
    else:
        receipt = erasure.preview([person.pk], search_events=search_events)
    removed = [(name, rows) for name, rows in receipt.removed.items() if rows]
    title = "Erased" if "erased" in context else "Erase person"
    return page(request, "person_erase", title=title, receipt=receipt, removed=removed, **context)


def export(_request: HttpRequest, person: Person) -> HttpResponseBase:
    """Download everything that is stored about a person."""
    return export_response(person)


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "persons", "rows", "finished_at"]
    fields = ["at", "by", "persons", "places", "finished_at"]
    readonly_fields = ["places"]
    date_hierarchy = "at"
    ordering = ["-pk"]
    list_select_related = ["by"]
    list_before_template = "admin/analytics/_allow_erased.html"

    def get_urls(self) -> list[URLPattern]:
        allow = self.admin_site.admin_view(require_POST(self.allow))
        return [path("allow/", allow, name="analytics_erasure_allow"), *super().get_urls()]

    def allow(self, request: HttpRequest) -> HttpResponse:
        """Accept events of an erased id again."""
        require_permission(request, ERASE)
        if erasure.allow_again(request.POST.get("distinct_id", "").strip()):
            messages.success(request, "Events of this id are stored again.")
        else:
            messages.error(request, "This id was not erased.")
        return redirect("admin:analytics_erasure_changelist")

    @admin.display(description="By", ordering="by")
    def who(self, row: Erasure) -> str:
        return row.by.get_username() if row.by else "A command"

    @admin.display(description="Rows removed")
    def rows(self, row: Erasure) -> str:
        return number(sum(row.removed.values()))

    @admin.display(description="Removed")
    def places(self, row: Erasure) -> str:
        return "; ".join(f"{name}: {counted(rows, 'row')}" for name, rows in row.removed.items())
