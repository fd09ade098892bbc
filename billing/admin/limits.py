"""The limits of plans: a form that shows what a limit would have done before it is in force."""

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
    list_display = ["meter", "plan", "shown_amount", "beyond"]
    list_display_links = ["meter", "shown_amount"]
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
            "title": "What the limit would have done",
            "limit": limit,
            "beyond": beyond(limit),
            "simulation": simulation.simulate(
                limit.plan.slug, limit.meter.slug, as_limit(limit), now=timezone.now()
            ),
            "examples": EXAMPLES,
        }

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
