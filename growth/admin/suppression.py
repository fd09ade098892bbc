"""Lists of suppressed addresses and of what providers report; the form of a topic."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from common.admin.model_admin import ModelAdmin
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.calculations.mailbox import spellings
from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import MailEvent, MailTopic, Suppression
from growth.suppression import suppressions


@admin.register(MailTopic)
class MailTopicAdmin(ModelAdmin):
    fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "description"]
    ordering = ["pk"]


class SuppressionForm(forms.ModelForm):
    address = forms.EmailField(max_length=320)
    detail = forms.CharField(
        label="Why", max_length=500, help_text="Shown to other staff", widget=forms.Textarea
    )

    class Meta:
        model = Suppression
        fields = ["address", "topic", "detail"]


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    form = SuppressionForm
    list_display = ["shown_address", "topic", "reason", "source", "at", "state"]
    list_filter = ["reason", "topic", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["topic"]
    search_fields = ["address"]
    search_help_text = "A whole address, in any case"
    ordering = ["-pk"]
    list_before_template = "admin/growth/_suppressions_intro.html"
    fields = ["address", "topic", "reason", "source", "detail", "at", "lifted_at", "lifted_by"]
    fields += ["lift_reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(ModelAdmin.has_add_permission(self, request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else SuppressionForm.Meta.fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if search_term:
            hashed = suppressions.rows_of([search_term])
            queryset = queryset.filter(pk__in=hashed.values("pk"))
        return queryset, False

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        suppressions.add(
            [obj.address],
            SuppressionReason.STAFF,
            source="admin",
            at=timezone.now(),
            topic=obj.topic,
            detail=obj.detail,
        )
        rows = suppressions.active_rows_of([obj.address])
        obj.pk = rows.filter(reason=SuppressionReason.STAFF.value, topic=obj.topic).latest("pk").pk

    @admin.display(description="Address")
    def shown_address(self, row: Suppression) -> str:
        return row.address or "(only a hash)"

    @admin.display(description="In force")
    def state(self, row: Suppression) -> SafeString | str:
        if row.lifted_at:
            return f"Lifted: {row.lift_reason}"
        return link_to(reverse("growth:lift-suppression", args=[row.pk]), "Lift")


@admin.register(MailEvent)
class MailEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "address", "kind", "is_machine", "response", "link", "provider"]
    list_filter = ["kind", "is_machine"]
    search_fields = ["address"]
    search_help_text = "A whole address or Message-ID"
    ordering = ["-at", "-pk"]
    fields = ["at", "address", "kind", "is_machine", "response", "link", "user_agent", "provider"]
    fields += ["message_id", "recorded_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if search_term:
            text = search_term.strip()
            exact = Q(address__in=spellings(text)) | Q(message_id=text.strip("<>"))
            queryset = queryset.filter(exact)
        return queryset, False
