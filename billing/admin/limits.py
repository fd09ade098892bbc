"""The limits of plans: a form that shows what a limit would have done before it is in force."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin

from billing.admin.history import ValuesInHistory
from billing.calculations.plan import Limit
from billing.limits import simulation
from billing.models import PlanLimit
from common.formatting import number

EXAMPLES = 50


class PlanLimitForm(forms.ModelForm):
    class Meta:
        model = PlanLimit
        fields = ["plan", "meter", "amount", "hard", "grace_percent", "grace"]


@admin.register(PlanLimit)
class PlanLimitAdmin(ValuesInHistory, ModelAdmin):
    form = PlanLimitForm
    fields = PlanLimitForm.Meta.fields
    list_display = ["meter", "plan", "shown_amount", "beyond"]
    list_display_links = ["meter", "shown_amount"]
    list_filter = ["plan", "meter"]
    list_select_related = ["plan", "meter"]
    ordering = ["plan__rank", "meter__slug"]
    change_form_before_template = "admin/billing/_limit_intro.html"

    def get_readonly_fields(self, request: HttpRequest, obj: PlanLimit | None = None) -> list[str]:
        return ["plan", "meter"] if obj else []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Simulate a valid limit first, and save it when that is confirmed."""
        if request.method == "POST" and "confirmed" not in request.POST:
            limit = self.get_object(request, object_id) if object_id else None
            if not (
                self.has_change_permission(request) if limit else self.has_add_permission(request)
            ):
                raise PermissionDenied
            form = self.get_form(request, limit, change=limit is not None)(
                request.POST, instance=limit
            )
            if form.is_valid():
                return self._preview(request, form)
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, extra_context
        )
        return response

    def _preview(self, request: HttpRequest, form: PlanLimitForm) -> HttpResponse:
        limit: PlanLimit = form.instance
        context = {
            **self.admin_site.each_context(request),
            "title": "What the limit would have done",
            "limit": limit,
            "beyond": beyond(limit),
            "simulation": simulation.simulate(
                limit.plan.slug, limit.meter.slug, as_limit(limit), now=timezone.now()
            ),
            "examples": EXAMPLES,
            "given": {
                name: request.POST.get(name, "") for name in form.fields if name in request.POST
            },
        }
        return TemplateResponse(request, "admin/billing/limit_preview.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def response_post_save_add(self, request: HttpRequest, obj: PlanLimit) -> HttpResponse:
        return redirect("admin:billing_plan_change", obj.plan_id)

    response_post_save_change = response_post_save_add

    @admin.display(description="Limit", ordering="amount")
    def shown_amount(self, limit: PlanLimit) -> str:
        return number(limit.amount)

    @admin.display(description="Beyond it")
    def beyond(self, limit: PlanLimit) -> str:
        return beyond(limit)


def as_limit(limit: PlanLimit) -> Limit:
    return Limit(
        amount=limit.amount,
        hard=limit.hard,
        grace=limit.grace,
        grace_percent=limit.grace_percent,
    )


def beyond(limit: PlanLimit) -> str:
    """Say what happens beyond a limit."""
    ceiling = as_limit(limit).ceiling
    if ceiling is None:
        return "Warned, never blocked"
    return (
        "Blocked"
        if ceiling == limit.amount
        else f"Let through up to {number(ceiling)}, then blocked"
    )
