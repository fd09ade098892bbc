"""The journal of merges and refused merges, with previews and undo."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from analytics.admin import person_pages
from analytics.models import PersonMerge
from analytics.people import persons, unmerging
from analytics.people.unmerging import CannotUndo
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import UNKNOWN


@admin.register(PersonMerge)
class PersonMergeAdmin(ReadOnlyAdmin):
    list_display = ["happened_at", "merge", "result", "cause", "person"]
    list_filter = ["result"]
    date_hierarchy = "happened_at"
    search_fields = ["pk"]  # shows the box; `get_search_results` does the search
    search_help_text = "The beginning of a distinct id of a person, or their e-mail address"
    ordering = ["-happened_at", "-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PersonMerge], search_term: str
    ) -> tuple[QuerySet[PersonMerge], bool]:
        if search_term:
            matches = list(persons.matching(search_term.replace("\0", "")))
            ids = [person_id for (person_id,) in matches]
            queryset = queryset.filter(Q(person_id__in=ids) | Q(other_person_id__in=ids))
        return queryset, False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a merge with a preview of its undo, and undo it when confirmed."""
        merge = self.get_object(request, object_id)
        if merge is None:
            raise Http404(f"There is no merge {object_id}.")
        if not self.has_view_permission(request, merge):
            raise PermissionDenied
        context: dict[str, Any] = {"merge": merge, "may_change": person_pages.may_change(request)}
        try:
            if request.method == "POST":
                return _undo(request, merge)
            context["preview"] = unmerging.preview(merge)
        except CannotUndo as obstacle:
            context["obstacle"] = obstacle
        return person_pages.page(request, "merge", title="Merge", **context)

    @admin.display(description="Merge")
    def merge(self, merge: PersonMerge) -> str:
        return f"{merge.other_id} into {merge.distinct_id}"

    @admin.display(description="Person", ordering="person_id")
    def person(self, merge: PersonMerge) -> SafeString | str:
        if not merge.person_id:
            return UNKNOWN
        return link_to(
            reverse("admin:analytics_person_change", args=[merge.person_id]),
            merge.distinct_id,
        )


def _undo(request: HttpRequest, merge: PersonMerge) -> HttpResponse:
    if not person_pages.may_change(request):
        raise PermissionDenied
    unmerging.undo(merge.pk, by=request.user.get_username(), now=timezone.now())
    messages.success(request, f"Undone: “{merge.other_id}” is a separate person again.")
    return redirect("admin:analytics_person_change", merge.other_person_id)
