"""The funnel of referrals with the people in it, and the page on which a reward is reviewed."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import ValidationError

from analytics.api.parameters import DayRangeQuery, parsed
from analytics.rollups import definitions
from common.admin.pages import require_permission, staff_page
from growth.calculations.reward import SIGNAL_LABELS, RewardState, Signal
from growth.models import ReferralProgram, ReferralReward
from growth.referrals import funnel, rewards
from growth.referrals.funnel import ReferralStep

DAYS = 90
PERSONS_PER_PAGE = 25
LABELS = {
    ReferralStep.INVITE: ("Can invite", "People with a code by the end of the range"),
    ReferralStep.CLICK: ("Opened a link", "Came with a code of someone else in the range"),
    ReferralStep.SIGNUP: ("Signed up", "The signup names the code, within 30 days of the click"),
    ReferralStep.ACTIVATION: ("Activated", "Of those who signed up"),
    ReferralStep.PAID: ("Paid", "Of those who activated: a paid invoice at Stripe"),
}


class RangeQuery(DayRangeQuery):
    """The range of days of a page, by default the latest, today included."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        today = definitions.last_complete_day() + timedelta(days=1)
        last = attrs["last"] or max(today, attrs["first"] or today)
        return attrs | {"last": last, "first": attrs["first"] or last - timedelta(days=DAYS - 1)}


class DecisionForm(forms.Form):
    reason = forms.CharField(max_length=500, help_text="Shown to other staff")


@staff_page("growth.view_referral")
@require_GET
def referrals_page(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Referrals",
        "programs": ReferralProgram.objects.order_by("pk"),
        "to_review": ReferralReward.objects.filter(state=RewardState.REVIEW).count(),
        "may_set_up": request.user.has_perm("growth.add_referralprogram"),
        "values": request.GET.dict(),
    }
    parameters = request.GET.copy()
    for name in ("step", "page"):
        parameters.pop(name, None)
    try:
        days = parsed(RangeQuery, parameters)
    except ValidationError as error:
        context["errors"] = error.detail
    else:
        context |= _numbers(request, days)
    return TemplateResponse(request, "admin/growth/referrals.html", context)


def _numbers(request: HttpRequest, days: dict[str, Any]) -> dict[str, Any]:
    span = {"first": days["first"], "last": days["last"]}
    try:
        step = ReferralStep(request.GET.get("step", ReferralStep.SIGNUP))
    except ValueError as error:
        raise Http404(str(error)) from error
    numbers: dict[str, Any] = {
        "days": days,
        "query": f"from={days['first']}&to={days['last']}",
        "steps": [(row, *LABELS[row.step]) for row in funnel.funnel(**span)],
        "step": step,
        "step_label": LABELS[step][0],
    }
    if request.user.has_perm("analytics.view_person"):
        persons = funnel.people(step, **span).order_by("-signup_at", "pk")
        paginator = Paginator(persons.prefetch_related("distinct_ids"), PERSONS_PER_PAGE)
        numbers["persons"] = paginator.get_page(request.GET.get("page"))
    return numbers


@staff_page("growth.view_referralreward")
@require_http_methods(["GET", "HEAD", "POST"])
def reward_page(request: HttpRequest, reward_id: UUID) -> HttpResponse:
    rows = ReferralReward.objects.select_related(
        "program", "code__distinct_id__person", "referred__person"
    )
    reward = get_object_or_404(rows, pk=reward_id)
    form = DecisionForm(request.POST or None)
    if request.method == "POST":
        require_permission(request, "growth.change_referralreward")
        if form.is_valid():
            _decide(request, reward, form.cleaned_data["reason"])
            return redirect("growth:reward", reward.pk)
    context = {
        **admin.site.each_context(request),
        "title": "Referral reward",
        "reward": reward,
        "inviter": reward.code.distinct_id,
        "signals": [SIGNAL_LABELS[Signal(value)] for value in reward.signals],
        "form": form,
        "may_change": request.user.has_perm("growth.change_referralreward"),
        "may_release": reward.state == RewardState.REVIEW,
        "may_refuse": reward.state in {RewardState.REVIEW, RewardState.HELD},
    }
    return TemplateResponse(request, "admin/growth/reward.html", context)


def _decide(request: HttpRequest, reward: ReferralReward, reason: str) -> None:
    """Release or refuse a reward, and log it."""
    by, is_release = request.user.get_username(), "release" in request.POST
    try:
        if is_release:
            rewards.release(reward, by=by, reason=reason, now=timezone.now())
        else:
            rewards.refuse(reward, by=by, reason=reason)
    except rewards.NotOpen as error:
        messages.error(request, f"Nothing was saved: {error}")
        return
    LogEntry.objects.create(
        user=cast("User", request.user),
        content_type=ContentType.objects.get_for_model(ReferralReward),
        object_id=str(reward.pk),
        object_repr=f"reward {reward.pk}",
        action_flag=CHANGE,
        change_message=f"{'Released' if is_release else 'Refused'}: {reason}",
    )
    messages.success(request, "Released: it is sent now." if is_release else "Refused.")
