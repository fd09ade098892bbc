"""Persons: the list, and a page for each with what is known and what they did."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from analytics import persons
from analytics.admin import pages
from analytics.admin.read_only import ReadOnlyAdmin
from analytics.models import Person


class ActivationFilter(admin.EmptyFieldListFilter):
    def choices(self, changelist: Any) -> Any:
        for choice, name in zip(
            super().choices(changelist), ("All", "Not activated", "Activated"), strict=True
        ):
            yield {**choice, "display": name}


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    list_display = ["name", "ids", "signup_at", "activated_at", "first_seen_at", "counted"]
    list_filter = [("activated_at", ActivationFilter), "excluded", "is_demo"]
    search_fields = ["pk"]  # shows the box; `get_search_results` does the search
    search_help_text = "The beginning of a distinct id, or an e-mail address"
    date_hierarchy = "signup_at"
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        rows: QuerySet[Person] = super().get_queryset(request)
        return rows.prefetch_related("distinct_ids")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Person], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        if search_term:
            queryset = queryset.filter(pk__in=persons.matching(search_term.replace("\0", "")))
        return queryset, False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        person = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404(f"There is no person {object_id}.")
        if not self.has_view_permission(request, person):
            raise PermissionDenied
        return pages.person(request, person)

    @admin.display(description="Person", ordering="pk")
    def name(self, person: Person) -> str:
        return str(person)

    @admin.display(description="Distinct ids")
    def ids(self, person: Person) -> str:
        known = sorted(row.distinct_id for row in person.distinct_ids.all())
        more = f" and {len(known) - 2} more" if len(known) > 2 else ""
        return ", ".join(known[:2]) + more

    @admin.display(description="Counted", ordering="excluded")
    def counted(self, person: Person) -> str:
        return "Excluded" if person.excluded else "Counted"
