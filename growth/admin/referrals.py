"""Lists of codes, referred people and rewards, and the form of a program."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.stripe import coupons
from common import queueing
from common.admin.model_admin import ModelAdmin
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.outgoing import GuardedSession, NoResponse
from growth.calculations.reward import SIGNAL_LABELS, RewardKind, Signal
from growth.models import Referral, ReferralCode, ReferralProgram, ReferralReward
from growth.referrals import codes, sending


def person_link(distinct_id: Any) -> SafeString:
    page = reverse("admin:analytics_person_change", args=[distinct_id.person_id])
    return link_to(page, distinct_id.pk)


class ProgramForm(forms.ModelForm):
    class Meta:
        model = ReferralProgram
        fields = [
            "name",
            "slug",
            "signup_url",
            "reward",
            "webhook_url",
            "coupon",
            "hold_days",
            "cap",
        ]

    def clean_webhook_url(self) -> str:
        url: str = self.cleaned_data["webhook_url"]
        if url:
            check_address(url)
        return url

    def clean_coupon(self) -> str:
        coupon: str = self.cleaned_data["coupon"]
        if coupon and (problem := coupons.problem_of(coupon)):
            raise ValidationError(problem)
        return coupon


def check_address(url: str) -> None:
    """Raise ValidationError unless the guard would connect to the address; sends nothing."""
    with GuardedSession(connects=False) as session:
        with suppress(NoResponse):  # the session says why
            session.post(url)
        if session.problem:
            raise ValidationError(session.problem)


@admin.register(ReferralProgram)
class ReferralProgramAdmin(ModelAdmin):
    form = ProgramForm
    fields = [*ProgramForm.Meta.fields, "webhook_secret"]
    readonly_fields = ["webhook_secret"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "signup_url", "reward", "hold_days", "cap"]
    ordering = ["pk"]
    change_form_before_template = "admin/growth/_program_intro.html"

    class Media:
        css = {"all": ["analytics/pages.css"]}

    def save_model(
        self, request: HttpRequest, obj: ReferralProgram, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if not change:  # what came before it counts, too
            queueing.enqueue("growth.tasks.rebuild_referrals")

    @admin.display(description="Webhook secret")
    def webhook_secret(self, offer: ReferralProgram) -> str:
        if offer.pk is None or offer.reward != RewardKind.WEBHOOK:
            return "Shown once rewards go to a webhook"
        return format_html('<span class="pl-breaks">{}</span>', sending.secret_of(offer))


@admin.register(ReferralCode)
class ReferralCodeAdmin(ReadOnlyAdmin):
    list_display = ["code", "inviter", "link", "program", "created_at"]
    list_filter = ["program"]
    list_select_related = ["program", "distinct_id"]
    search_fields = ["code__istartswith", "distinct_id__distinct_id__startswith"]
    search_help_text = "Start of a code or of a distinct id"
    ordering = ["-created_at"]

    @admin.display(description="Inviter")
    def inviter(self, code: ReferralCode) -> SafeString:
        return person_link(code.distinct_id)

    @admin.display(description="Link")
    def link(self, code: ReferralCode) -> str:
        return codes.link_of(code)


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    list_display = ["referred", "inviter", "code", "clicked_at", "signed_up_at", "named", "proved"]
    list_filter = ["is_named", "proved"]
    list_select_related = ["distinct_id", "code__distinct_id"]
    search_fields = ["code__code__istartswith", "distinct_id__distinct_id__startswith"]
    search_help_text = "Start of a code or of a distinct id"
    ordering = ["-clicked_at"]

    @admin.display(description="Referred person")
    def referred(self, referral: Referral) -> SafeString:
        return person_link(referral.distinct_id)

    @admin.display(description="Inviter")
    def inviter(self, referral: Referral) -> SafeString:
        return person_link(referral.code.distinct_id)

    @admin.display(description="Signup names the code", boolean=True)
    def named(self, referral: Referral) -> bool:
        return referral.is_named


@admin.register(ReferralReward)
class ReferralRewardAdmin(ReadOnlyAdmin):
    list_display = ["reward", "inviter", "referred_person", "state", "why", "paid_at", "held_until"]
    list_filter = ["state", "program"]
    list_select_related = ["referred", "code__distinct_id"]
    search_fields = ["code__code__istartswith", "referred__distinct_id__startswith"]
    search_help_text = "Start of a code or of a distinct id"
    ordering = ["-created_at"]

    @admin.display(description="Reward")
    def reward(self, reward: ReferralReward) -> SafeString:
        return link_to(reverse("growth:reward", args=[reward.pk]), str(reward.pk)[:8])

    @admin.display(description="Inviter")
    def inviter(self, reward: ReferralReward) -> SafeString:
        return person_link(reward.code.distinct_id)

    @admin.display(description="Referred person")
    def referred_person(self, reward: ReferralReward) -> SafeString:
        return person_link(reward.referred)

    @admin.display(description="Why to review")
    def why(self, reward: ReferralReward) -> str:
        return "; ".join(SIGNAL_LABELS[Signal(value)] for value in reward.signals)
