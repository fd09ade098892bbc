"""Goals: staff change the current version, and every change creates a new version."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from analytics.rollups import definitions
from common.admin.model_admin import row_number
from common.admin.pages import staff_page
from common.admin.preview_before_save import PreviewedForm
from operational.admin.goal_form import GoalForm
from operational.alerting import kpi_alerts
from operational.calculations.catalogue import CATALOGUE
from operational.kpis import goals
from operational.models import KpiGoal
from operational.templatetags.figures import figure


@admin.register(KpiGoal)
class KpiGoalAdmin(PreviewedForm):
    """The goals in force. Rows are never edited in place and never deleted."""

    form = GoalForm
    list_display = [
        "name",
        "target_figure",
        "weight",
        "thresholds",
        "version",
        "since",
        "changed_by",
    ]
    list_select_related = ["created_by"]
    ordering = ["-weight", "kpi"]
    change_form_before_template = "admin/operational/_goal_intro.html"
    change_form_outer_after_template = "admin/operational/_goal_history.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[KpiGoal]:
        newest = KpiGoal.objects.order_by("kpi", "-version").distinct("kpi").values("pk")
        rows: QuerySet[KpiGoal] = super().get_queryset(request)
        return rows.filter(pk__in=newest, kpi__in=CATALOGUE)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> KpiGoal | None:
        """Return the goal in force, also for the address of an older version."""
        kpi = KpiGoal.objects.filter(pk=row_number(object_id)).values("kpi")
        return self.get_queryset(request).filter(kpi__in=kpi).first()

    def get_fields(self, request: HttpRequest, obj: KpiGoal | None = None) -> list[str]:
        return [name for name in GoalForm.Meta.fields if name != "basis" or _has_bases(obj)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: KpiGoal | None = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], obj: KpiGoal, **kwargs: Any
    ) -> HttpResponse:
        kpi = CATALOGUE[obj.kpi]
        context |= {
            "title": f"Goal for {kpi.name}",
            "kpi": kpi,
            "goals": goals.history(kpi.slug),
            "backtest": kpi_alerts.backtest(
                goal=goals.in_force()[kpi.slug], as_of=definitions.last_complete_day()
            ),
        }
        response: HttpResponse = super().render_change_form(request, context, obj=obj, **kwargs)
        return response

    def save_model(
        self,
        request: HttpRequest,
        obj: KpiGoal,
        form: GoalForm,
        change: bool,
    ) -> None:
        """Put a new version in force; the object then represents it."""
        goal = goals.set_goal(
            kpi=obj.kpi,
            target=obj.target,
            weight=obj.weight,
            warning=obj.warning,
            critical=obj.critical,
            basis=obj.basis,
            note=obj.note,
            created_by=request.user if isinstance(request.user, User) else None,
        )
        obj.pk = KpiGoal.objects.get(kpi=goal.kpi, version=goal.version).pk
        obj.version = goal.version

    def response_change(self, request: HttpRequest, obj: KpiGoal) -> HttpResponse:
        name = CATALOGUE[obj.kpi].name
        messages.success(request, f"Version {obj.version} of the goal for {name} is in force.")
        return redirect("operational:kpi", obj.kpi)

    def history_view(self, request: HttpRequest, object_id: str, **_: Any) -> HttpResponse:
        """Redirect to the versions, which say more than the admin's own log."""
        goal = get_object_or_404(KpiGoal, pk=row_number(object_id))
        return redirect(f"{reverse('operational:kpi', args=[goal.kpi])}#goals-title")

    @admin.display(description="KPI", ordering="kpi")
    def name(self, goal: KpiGoal) -> str:
        return CATALOGUE[goal.kpi].name

    @admin.display(description="Target", ordering="target")
    def target_figure(self, goal: KpiGoal) -> str:
        return figure(goal.target, CATALOGUE[goal.kpi].unit)

    @admin.display(description="Warning / critical")
    def thresholds(self, goal: KpiGoal) -> str:
        unit = CATALOGUE[goal.kpi].unit
        return f"{figure(goal.warning, unit)} / {figure(goal.critical, unit)}"

    @admin.display(description="In force since", ordering="created_at")
    def since(self, goal: KpiGoal) -> Any:
        return goal.created_at

    @admin.display(description="Changed by")
    def changed_by(self, goal: KpiGoal) -> str:
        return str(goal.created_by or "Plumbline")


@staff_page("operational.change_kpigoal")
@require_POST
def try_goal(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the alert would have done with the unsaved goal in the form."""
    if slug not in CATALOGUE:
        raise Http404(f"There is no KPI {slug!r}.")
    goal = goals.in_force()[slug]
    row = KpiGoal.objects.get(kpi=slug, version=goal.version)
    goal_admin = cast("KpiGoalAdmin", admin.site.get_model_admin(KpiGoal))
    form = cast("GoalForm", goal_admin.bound_form(request, row))
    backtest = None
    if form.is_valid():
        as_of = definitions.last_complete_day()
        backtest = kpi_alerts.backtest(goal=form.changed(goal), as_of=as_of)
    return TemplateResponse(request, "admin/operational/_try_goal.html", {"backtest": backtest})


def _has_bases(goal: KpiGoal | None) -> bool:
    return bool(goal and CATALOGUE[goal.kpi].bases)
