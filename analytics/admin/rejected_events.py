"""Rejected events: the reason, the payload, and a retry."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.widgets import UnfoldAdminTextareaWidget

from analytics.admin.payload import MAX_CHARACTERS, as_pre, readable
from analytics.calculations.records import Holds
from analytics.ingestion import retry_queue, retrying
from analytics.models import RejectedEvent
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import UNKNOWN, number

MAX_REASONS = 3
FACTS = ["rejected_at", "reason", "detail", "events", "source", "received_at", "holds"]


class PayloadField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")  # as forms send line ends


class PayloadForm(forms.ModelForm):
    """The payload as text, to be edited before a retry."""

    text = PayloadField(
        label="Payload",
        strip=False,
        help_text="As received. You can edit it before retrying.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 16, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "text" in self.fields:
            self.initial["text"] = readable(self.instance.payload)

    def save(self, commit: bool = True) -> Any:
        if "text" in self.changed_data:
            self.instance.payload = self.cleaned_data["text"].encode()
        return super().save(commit)


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnlyAdmin):
    form = PayloadForm
    list_display = ["rejected_at", "reason", "short_detail", "events", "source", "waits"]
    list_before_template = "admin/analytics/_rejected_events_intro.html"
    list_filter = [
        "reason",
        "outcome",
        "project_key",
        ("import_run", admin.RelatedOnlyFieldListFilter),
        ("retry_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["project_key", "import_run"]
    date_hierarchy = "rejected_at"
    search_fields = ["detail"]
    ordering = ["-rejected_at", "-pk"]
    actions = ["retry"]
    actions_submit_line = ["retry_this"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RejectedEvent]:
        """Read payloads, of up to megabytes each, only where they are displayed."""
        rows: QuerySet[RejectedEvent] = super().get_queryset(request)
        return rows.defer("payload")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("analytics.change_rejectedevent"))

    def get_fields(self, request: HttpRequest, obj: RejectedEvent | None = None) -> list[str]:
        return [*FACTS, "text" if self._can_edit(request, obj) else "content"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: RejectedEvent | None = None
    ) -> list[str]:
        uneditable = [] if self._can_edit(request, obj) else ["text"]
        return [*FACTS, "content", *uneditable]

    def _can_edit(self, request: HttpRequest, obj: RejectedEvent | None) -> bool:
        if obj is None or not self.has_change_permission(request, obj):
            return False
        payload = bytes(obj.payload)
        is_text = payload.decode(errors="replace").encode() == payload and b"\0" not in payload
        is_single = obj.holds != Holds.REQUEST and obj.events == 1
        return is_single and is_text and len(payload) <= MAX_CHARACTERS

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if "full" in request.GET and object_id and (row := self.get_object(request, object_id)):
            if not self.has_view_permission(request, row):
                raise PermissionDenied
            return HttpResponse(bytes(row.payload), content_type="application/octet-stream")
        buttons = {"show_save": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, buttons)

    def save_model(
        self, request: HttpRequest, obj: RejectedEvent, form: forms.Form, change: bool
    ) -> None:
        """Save the edited payload and retry, which is the only purpose of the page."""
        RejectedEvent.objects.filter(pk=obj.pk).update(payload=obj.payload)  # if it still exists
        self.retry_this(request, obj)

    def response_change(self, request: HttpRequest, obj: RejectedEvent) -> HttpResponse:
        if RejectedEvent.objects.filter(pk=obj.pk).exists():
            return redirect(request.get_full_path())
        response: HttpResponse = self.response_post_save_change(request, obj)
        return response

    @admin.action(description="Retry", permissions=["change"])
    def retry_this(self, request: HttpRequest, obj: RejectedEvent) -> None:
        self.retry(request, RejectedEvent.objects.filter(pk=obj.pk))

    @admin.action(description="Retry the selected events", permissions=["change"])
    def retry(self, request: HttpRequest, rows: QuerySet[RejectedEvent]) -> None:
        """Retry a few events at once, and leave more to a worker: the list says what waits."""
        if not retry_queue.is_small(rows):
            requested = retry_queue.request_retry(rows, now=timezone.now())
            text = f"A worker retries the {number(requested)} rows. Reload to see what still waits."
            messages.success(request, text)
            return
        retried = retrying.retry(rows)
        amounts = {
            "stored": retried.stored,
            "already stored": retried.duplicates,
            "dropped, because their persons were erased": retried.erased,
            "returned to the inbox": retried.waiting,
        }
        if done := [f"{number(events)} {outcome}" for outcome, events in amounts.items() if events]:
            messages.success(request, f"Retried: {', '.join(done)}.")
        if retried.rejected:
            why = "; ".join(
                f"{detail} ({number(events)})"
                for detail, events in retried.rejected.most_common(MAX_REASONS)
            )
            more = "; and other reasons" if len(retried.rejected) > MAX_REASONS else ""
            text = f"Rejected again: {number(retried.rejected.total())}. {why}{more}"
            messages.warning(request, text)
        if not done and not retried.rejected:
            messages.warning(request, "They no longer exist: someone else retried them before you.")

    @admin.display(description="Detail", ordering="detail")
    def short_detail(self, rejected: RejectedEvent) -> str:
        return Truncator(rejected.detail).chars(100)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        waiting = retry_queue.waiting_rows()
        return super().changelist_view(request, {**(extra_context or {}), "waiting": waiting})

    @admin.display(description="Retry", ordering="retry_at")
    def waits(self, rejected: RejectedEvent) -> str:
        return "Waits for a worker" if rejected.retry_at else ""

    @admin.display(description="Source")
    def source(self, rejected: RejectedEvent) -> str:
        if rejected.import_run:
            return f"{rejected.import_run}, line {rejected.line}"
        return f"project key {rejected.project_key}" if rejected.project_key else UNKNOWN

    @admin.display(description="Payload")
    def content(self, rejected: RejectedEvent) -> SafeString:
        return format_html('{}<a href="?full=1">Uncut</a>', as_pre(rejected.payload))
