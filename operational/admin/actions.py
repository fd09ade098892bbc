"""The pages of the priority actions."""

from collections.abc import Callable
from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from common.admin.pages import require_permission, staff_page
from operational.actions import effects, priority_actions
from operational.admin.pages import page
from operational.kpis.playbooks import PLAYBOOKS
from operational.models import PriorityAction


class TakeForm(forms.ModelForm):
    owner = forms.ModelChoiceField(User.objects.filter(is_staff=True, is_active=True))
    due = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))

    class Meta:
        model = PriorityAction
        fields = ["owner", "due", "notes"]


class DismissForm(forms.Form):
    reason = forms.CharField(max_length=200, label="Reason")


@staff_page("operational.view_priorityaction")
@require_GET
def actions_page(request: HttpRequest) -> HttpResponse:
    context = {"active": priority_actions.active(), "closed": priority_actions.closed()}
    return page(request, "priority_actions", title="Priority actions", **context)


@staff_page("operational.change_priorityaction")
@require_POST
def refresh(_request: HttpRequest) -> HttpResponse:
    priority_actions.refresh(now=timezone.now())
    return redirect("operational:actions")


@staff_page("operational.view_priorityaction")
def action_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an action, and give it an owner, a due date and notes."""
    action = get_object_or_404(PriorityAction.objects.select_related("owner"), pk=pk)
    initial = {"owner": action.owner or request.user}
    form = TakeForm(request.POST or None, instance=action, initial=initial)
    if request.method == "POST":
        require_permission(request, "operational.change_priorityaction")
        if form.is_valid():
            return _try(
                request, pk, "Saved.", lambda: priority_actions.take(pk, **form.cleaned_data)
            )
    previous = priority_actions.last_done(action)
    context = {
        "action": action,
        "playbook": PLAYBOOKS.get(action.subject) if action.kind == "kpi" else None,
        "form": form,
        "dismiss": DismissForm(),
        "previous": previous,
        "previous_effect": effects.effect(previous) if previous else None,
        "effect": effects.effect(action),
    }
    return page(request, "action", title=action.title, **context)


@staff_page("operational.change_priorityaction")
@require_POST
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(PriorityAction, pk=pk)
    user, now = cast("User", request.user), timezone.now()
    return _try(
        request,
        pk,
        "Done. Its effect is measured for 30 days.",
        lambda: priority_actions.finish(pk, by=user, now=now),
    )


@staff_page("operational.change_priorityaction")
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(PriorityAction, pk=pk)
    form = DismissForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Reason: {form.errors['reason'][0]}")
        return redirect("operational:action", pk)
    user, reason, now = cast("User", request.user), form.cleaned_data["reason"], timezone.now()
    return _try(
        request,
        pk,
        "Dismissed. It returns if it gets materially worse.",
        lambda: priority_actions.dismiss(pk, by=user, reason=reason, now=now),
    )


def _try(request: HttpRequest, pk: int, done: str, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except priority_actions.NotActive as error:
        messages.error(request, f"Nothing was saved: {error}")
        return redirect("operational:action", pk)
    messages.success(request, done)
    return redirect("operational:actions")
