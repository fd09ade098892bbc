"""The limits of plans: a form that previews a limit on past usage before it is saved."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from billing.admin.history import ValuesInHistory
from billing.calculations.plan import Limit
from billing.limits import simulation
from billing.models import PlanLimit
from common.admin.preview_before_save import PreviewBeforeSave
from common.formatting import number

EXAMPLES = 50


class PlanLimitForm(forms.ModelForm):
    class Meta:
        model = PlanLimit
        fields = ["plan", "meter", "amount", "hard", "grace_percent", "grace"]


@admin.register(PlanLimit)
class PlanLimitAdmin(ValuesInHistory, PreviewBeforeSave):
    form = PlanLimitForm
    fields = PlanLimitForm.Meta.fields
    list_display = ["meter", "plan", "formatted_amount", "over_limit"]
    list_display_links = ["meter", "formatted_amount"]
    list_filter = ["plan", "meter"]
    list_select_related = ["plan", "meter"]
    ordering = ["plan__rank", "meter__slug"]
    change_form_before_template = "admin/billing/_limit_intro.html"
    preview_template = "admin/billing/limit_preview.html"

    def get_readonly_fields(self, request: HttpRequest, obj: PlanLimit | None = None) -> list[str]:
        return ["plan", "meter"] if obj else []

    def preview(self, request: HttpRequest, form: forms.ModelForm) -> dict[str, Any]:
        limit: PlanLimit = form.instance
        return {
            "title": "Preview of the limit",
            "limit": limit,
            "over_limit": over_limit(limit),
            "simulation": simulation.simulate(
                limit.plan.slug, limit.meter.slug, as_limit(limit), now=timezone.now()
            ),
            "examples": EXAMPLES,
        }

    def response_post_save_add(self, request: HttpRequest, obj: PlanLimit) -> HttpResponse:
        return redirect("admin:billing_plan_change", obj.plan_id)

    response_post_save_change = response_post_save_add

    @admin.display(description="Limit", ordering="amount")
    def formatted_amount(self, limit: PlanLimit) -> str:
        return number(limit.amount)

    @admin.display(description="Over the limit")
    def over_limit(self, limit: PlanLimit) -> str:
        return over_limit(limit)


def as_limit(limit: PlanLimit) -> Limit:
    return Limit(
        amount=limit.amount,
        hard=limit.hard,
        grace=limit.grace,
        grace_percent=limit.grace_percent,
    )


def over_limit(limit: PlanLimit) -> str:
    """Say what happens over a limit."""
    ceiling = as_limit(limit).ceiling
    if ceiling is None:
        return "Warning only"
    return (
        "Blocked" if ceiling == limit.amount else f"Allowed up to {number(ceiling)}, then blocked"
    )
