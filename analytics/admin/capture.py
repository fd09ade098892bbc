"""What comes in: project keys, waiting requests, imported files, and what could not be stored."""

import json
from contextlib import suppress

from django.contrib import admin, messages
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin

from analytics import capture
from analytics.admin.read_only import ReadOnlyAdmin
from analytics.calculations.body import TooLarge, decompressed
from analytics.calculations.wire import Refused
from analytics.models import ImportRun, InboxRequest, ProjectKey, RejectedEvent
from analytics.templatetags.numbers import pretty_json

LONGEST_SHOWN = 50_000  # characters of a payload


@admin.register(ProjectKey)
class ProjectKeyAdmin(ModelAdmin):
    list_display = ["name", "in_use", "created_at", "revoked_at"]
    actions = ["revoke"]
    actions_submit_line = ["revoke_this"]

    def get_fields(self, request: HttpRequest, obj: ProjectKey | None = None) -> list[str]:
        return ["name", "token", "created_at", "revoked_at"] if obj else ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: ProjectKey | None = None) -> list[str]:
        return self.get_fields(request, obj)[1:]

    def has_delete_permission(self, request: HttpRequest, obj: ProjectKey | None = None) -> bool:
        return False  # what it captured names it

    def response_add(
        self, request: HttpRequest, obj: ProjectKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        messages.success(request, f"The key of {obj} is {obj.token}")
        return redirect("admin:analytics_projectkey_change", obj.pk)

    @admin.display(description="State")
    def in_use(self, key: ProjectKey) -> str:
        return "Revoked" if key.revoked_at else "In use"

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ProjectKey]) -> None:
        revoked = capture.revoke(keys, now=timezone.now())
        messages.success(request, f"Keys revoked: {revoked}. Events with them are refused.")

    @admin.action(description="Revoke this key", permissions=["change"])
    def revoke_this(self, request: HttpRequest, obj: ProjectKey) -> None:
        self.revoke(request, ProjectKey.objects.filter(pk=obj.pk))


@admin.register(InboxRequest)
class InboxRequestAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "project_key", "events", "received"]
    list_select_related = ["project_key"]
    fields = ["received_at", "project_key", "events", "received", "sdk", "content"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxRequest]:
        rows: QuerySet[InboxRequest] = super().get_queryset(request)
        octets = Func(F("body"), function="octet_length", output_field=IntegerField())
        return rows.annotate(octets=octets).defer("body")

    @admin.display(description="Size")
    def received(self, waiting: InboxRequest) -> str:
        return f"{vars(waiting)['octets']:,} bytes"

    @admin.display(description="Body")
    def content(self, waiting: InboxRequest) -> SafeString:
        with suppress(Refused, TooLarge):
            return _readable(decompressed(bytes(waiting.body)))
        return _readable(waiting.body)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = [
        "file_name",
        "started_at",
        "state",
        "lines",
        "stored",
        "duplicates",
        "rejected_events",
    ]
    fields = [*list_display, "finished_at", "fingerprint"]
    search_fields = ["file_name"]
    ordering = ["-pk"]

    @admin.display(description="State")
    def state(self, run: ImportRun) -> str:
        return "Finished" if run.finished_at else "Not finished"

    @admin.display(description="Rejected", ordering="rejected")
    def rejected_events(self, run: ImportRun) -> str:
        if not run.rejected:
            return "0"
        return format_html(
            '<a class="text-primary-600 underline dark:text-primary-500"'
            ' href="{}?import_run__id__exact={}">{}</a>',
            reverse("admin:analytics_rejectedevent_changelist"),
            run.pk,
            f"{run.rejected:,}",
        )


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnlyAdmin):
    list_display = ["rejected_at", "reason", "short_detail", "source"]
    list_filter = ["reason", "project_key", ("import_run", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["project_key", "import_run"]
    fields = ["rejected_at", "reason", "detail", "source", "content"]
    date_hierarchy = "rejected_at"
    search_fields = ["detail"]
    ordering = ["-rejected_at", "-pk"]

    @admin.display(description="Detail", ordering="detail")
    def short_detail(self, rejected: RejectedEvent) -> str:
        return Truncator(rejected.detail).chars(100)

    @admin.display(description="Came from")
    def source(self, rejected: RejectedEvent) -> str:
        if rejected.import_run:
            return f"{rejected.import_run}, line {rejected.line}"
        return f"project key {rejected.project_key}" if rejected.project_key else "–"

    @admin.display(description="As received")
    def content(self, rejected: RejectedEvent) -> SafeString:
        return _readable(rejected.payload)


def _readable(payload: bytes | memoryview) -> SafeString:
    """Show what was received: JSON with indents where it is JSON, else the text of the bytes."""
    text = bytes(payload).decode(errors="backslashreplace")
    with suppress(ValueError, RecursionError):
        text = pretty_json(json.loads(text))
    shown = Truncator(text).chars(LONGEST_SHOWN)
    return format_html('<pre class="pl-payload">{}</pre>', shown)
