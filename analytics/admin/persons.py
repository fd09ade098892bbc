"""Persons: the list and its actions; `person_pages` has the page of each person."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path

from analytics.admin import erasures, person_pages
from analytics.models import ExclusionRule, Person
from analytics.models.person import is_protected
from analytics.people import exclusions, persons, unmerging
from common.admin.model_admin import row_number
from common.admin.pages import require_permission
from common.admin.read_only import ReadOnlyAdmin
from common.calculations.shortening import shortened_text

Page = Callable[[HttpRequest, Person], HttpResponseBase]


class ActivationFilter(admin.EmptyFieldListFilter):
    def choices(self, changelist: Any) -> Any:
        for choice, name in zip(
            super().choices(changelist), ("All", "Not activated", "Activated"), strict=True
        ):
            yield {**choice, "display": name}


class ProfileFilter(admin.SimpleListFilter):
    """By default persons with a profile; a search covers all persons."""

    title = "profile"
    parameter_name = "profile"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("without", "Without a profile"), ("any", "With or without")]

    def choices(self, changelist: Any) -> Any:
        default, *others = super().choices(changelist)
        yield {**default, "display": "With a profile"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        if self.value() == "without":
            return queryset.filter(has_profile=False)
        if self.value() == "any" or request.GET.get("q"):
            return queryset
        return queryset.filter(has_profile=True)


class ProtectionFilter(admin.SimpleListFilter):
    title = "protection"
    parameter_name = "protected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Protected"), ("no", "Only claimed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        if self.value() == "yes":
            return queryset.filter(is_protected("pk"))
        return queryset.exclude(is_protected("pk")) if self.value() == "no" else queryset


class ExclusionFilter(admin.SimpleListFilter):
    title = "exclusion"
    parameter_name = "exclusion"
    _meaning: dict[str, tuple[str, dict[str, bool | None]]] = {
        "none": ("Not excluded", {"excluded": False}),
        "any": ("Excluded", {"excluded": True}),
        "hand": ("Excluded by hand", {"excluded_by_hand": True}),
        "rule": ("Excluded by a rule", {"excluded": True, "excluded_by_hand": None}),
        "kept": ("Included despite a rule", {"excluded_by_hand": False}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, name) for value, (name, _) in self._meaning.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        _, condition = self._meaning.get(self.value() or "", ("", {}))
        return queryset.filter(**condition)


class RuleFilter(admin.SimpleListFilter):
    title = "matching exclusion rule"
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(rule.pk), rule.name) for rule in ExclusionRule.objects.order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        rule = ExclusionRule.objects.filter(pk=row_number(self.value() or "")).first()
        return queryset.filter(pk__in=exclusions.matching(rule).values("pk")) if rule else queryset


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    list_display = ["name", "ids", "signup_at", "activated_at", "first_seen_at", "counted"]
    list_filter = [
        ProfileFilter,
        ProtectionFilter,
        ExclusionFilter,
        RuleFilter,
        ("activated_at", ActivationFilter),
        "is_identified",
        "is_demo",
    ]
    search_fields = ["pk"]  # shows the box; `get_search_results` does the search
    search_help_text = "The beginning of a distinct id, or an e-mail address"
    date_hierarchy = "signup_at"
    ordering = ["-pk"]
    actions = ["exclude_selected", "include_selected"]

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[Page, str]] = {
            "merge": (person_pages.merge, person_pages.CHANGE_PERSON),
            "exclusion": (person_pages.exclusion, person_pages.CHANGE_PERSON),
            "erase": (erasures.erase, erasures.ERASE),
            "export": (erasures.export, erasures.EXPORT),
        }
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(self._for_person(page, permission)),
                name=f"analytics_person_{name}",
            )
            for name, (page, permission) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        rows: QuerySet[Person] = super().get_queryset(request)
        return rows.prefetch_related("distinct_ids")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Person], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        if search_term:
            queryset = queryset.filter(pk__in=persons.matching(search_term.replace("\0", "")))
        return queryset, False

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return person_pages.may_change(request)

    @admin.action(description="Exclude the selected as test or internal", permissions=["exclude"])
    def exclude_selected(self, request: HttpRequest, selected: QuerySet[Person]) -> None:
        self._decide(request, selected, excluded=True)

    @admin.action(description="Include the selected again", permissions=["exclude"])
    def include_selected(self, request: HttpRequest, selected: QuerySet[Person]) -> None:
        self._decide(request, selected, excluded=False)

    def _decide(self, request: HttpRequest, selected: QuerySet[Person], *, excluded: bool) -> None:
        ids = list(selected.values_list("pk", flat=True))
        messages.success(request, person_pages.decide(request, ids, excluded=excluded))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        person = self.get_object(request, unquote(object_id))
        if person is None:
            if line := unmerging.find_merge_of(row_number(object_id)):
                messages.info(request, f"Person {object_id} was merged into this one.")
                return redirect("admin:analytics_person_change", line.person_id)
            raise Http404(f"There is no person {object_id}.")
        if not self.has_view_permission(request, person):
            raise PermissionDenied
        return person_pages.person(request, person)

    def _for_person(self, page: Page, permission: str) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest, pk: int) -> HttpResponseBase:
            require_permission(request, permission)
            person = self.get_object(request, str(pk))
            if person is None:
                return redirect("admin:analytics_person_change", pk)
            return page(request, person)

        return view

    @admin.display(description="Person", ordering="pk")
    def name(self, person: Person) -> str:
        return shortened_text(str(person))

    @admin.display(description="Distinct ids")
    def ids(self, person: Person) -> str:
        ids = sorted(row.distinct_id for row in person.distinct_ids.all())
        more = f" and {len(ids) - 2} more" if len(ids) > 2 else ""
        return ", ".join(ids[:2]) + more

    @admin.display(description="In metrics", ordering="excluded")
    def counted(self, person: Person) -> str:
        if person.excluded:
            return "Excluded by hand" if person.excluded_by_hand else "Excluded by a rule"
        return "Included" if person.has_profile else "No profile"
