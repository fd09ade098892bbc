"""The record of exclusions, with undo: including persons again after a preview."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from analytics.admin import person_pages
from analytics.models import Exclusion
from analytics.people import exclusion_records
from common.admin.model_admin import row_number
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import UNKNOWN, counted, moment

HOURS = 12
EXAMPLES = 20


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    _conditions: dict[str, tuple[str, dict[str, bool]]] = {
        "review": ("Excluded, not confirmed", {"ended_at__isnull": True, "kept_at__isnull": True}),
        "confirmed": ("Excluded, confirmed", {"ended_at__isnull": True, "kept_at__isnull": False}),
        "ended": ("Included again", {"ended_at__isnull": False}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, name) for value, (name, _) in self._conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exclusion]) -> QuerySet[Exclusion]:
        _, condition = self._conditions.get(self.value() or "", ("", {}))
        return queryset.filter(**condition)


class HourFilter(admin.SimpleListFilter):
    """The hour from a moment on: the latest hours with exclusions, or one that a link names."""

    title = "hour"
    parameter_name = "hour"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        hours = Exclusion.objects.annotate(hour=TruncHour("began_at")).values_list("hour")
        latest = hours.annotate(Count("pk")).order_by("-hour")[:HOURS]
        return [(hour.isoformat(), f"{moment(hour)} ({persons:,})") for hour, persons in latest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exclusion]) -> QuerySet[Exclusion]:
        try:
            start = datetime.fromisoformat(self.value() or "")
            start = start.replace(tzinfo=start.tzinfo or UTC)
            end = start + timedelta(hours=1)
        except (ValueError, OverflowError):
            return queryset
        return queryset.filter(began_at__gte=start, began_at__lt=end)


class ProofFilter(admin.SimpleListFilter):
    title = "value"
    parameter_name = "value"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("claimed", "Claimed"), ("proved", "Proved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exclusion]) -> QuerySet[Exclusion]:
        if self.value():
            return queryset.filter(proved=self.value() == "proved")
        return queryset


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    list_display = ["person_link", "began_at", "why", "value_matched", "staff", "state"]
    list_display_links = None
    list_select_related = ["person"]
    list_filter = [
        HourFilter,
        StateFilter,
        "cause",
        ProofFilter,
        ("rule", admin.AllValuesFieldListFilter),
    ]
    date_hierarchy = "began_at"
    ordering = ["-began_at", "-pk"]
    actions = ["include_again", "confirm"]
    list_before_template = "admin/analytics/_exclusions_intro.html"

    def has_view_permission(self, request: HttpRequest, obj: Exclusion | None = None) -> bool:
        return bool(request.user.has_perm("analytics.view_person"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return person_pages.may_change(request)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        exclusion = self.get_object(request, object_id)
        if exclusion is None:
            return redirect("admin:analytics_exclusion_changelist")
        return redirect("admin:analytics_person_change", exclusion.person_id)

    @admin.action(description="Include the persons again…", permissions=["review"])
    def include_again(
        self, request: HttpRequest, selected: QuerySet[Exclusion]
    ) -> HttpResponse | None:
        """Show a preview; when it is confirmed, include the persons it was about."""
        in_force = selected.filter(ended_at=None)
        if last := request.POST.get("confirmed", ""):
            previewed = in_force.filter(pk__lte=row_number(last))
            ids = list(previewed.values_list("person_id", flat=True))
            messages.success(request, person_pages.decide(request, ids, excluded=False))
            return None
        rows = in_force.order_by("-began_at", "-pk").select_related("person")
        return person_pages.page(
            request,
            "exclusions_include",
            title="Include persons again",
            persons=in_force.count(),
            examples=rows[:EXAMPLES],
            last=in_force.aggregate(last=Max("pk"))["last"],
            selected=request.POST.getlist(ACTION_CHECKBOX_NAME),
            select_across=request.POST.get("select_across", "0"),
            back=request.get_full_path(),
        )

    @admin.action(description="Confirm the exclusions", permissions=["review"])
    def confirm(self, request: HttpRequest, selected: QuerySet[Exclusion]) -> None:
        by = request.user.get_username()
        confirmed = exclusion_records.keep(selected, by=by, now=timezone.now())
        messages.success(request, f"{counted(confirmed, 'exclusion')} confirmed.")

    @admin.display(description="Person", ordering="person_id")
    def person_link(self, exclusion: Exclusion) -> SafeString:
        address = reverse("admin:analytics_person_change", args=[exclusion.person_id])
        return link_to(address, exclusion.person)

    @admin.display(description="Why", ordering="cause")
    def why(self, exclusion: Exclusion) -> str:
        return exclusion.reason

    @admin.display(description="Matched value")
    def value_matched(self, exclusion: Exclusion) -> str:
        return exclusion.matched or UNKNOWN

    @admin.display(description="By", ordering="by")
    def staff(self, exclusion: Exclusion) -> str:
        return exclusion.by or UNKNOWN

    @admin.display(description="Now")
    def state(self, exclusion: Exclusion) -> str:
        if exclusion.ended_at:
            by = f" by {exclusion.ended_by}" if exclusion.ended_by else ""
            return f"Included again{by}, {moment(timezone.localtime(exclusion.ended_at))}"
        return f"Excluded, confirmed by {exclusion.kept_by}" if exclusion.kept_at else "Excluded"
