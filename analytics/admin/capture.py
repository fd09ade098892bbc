"""Waiting requests and imported files."""

from contextlib import suppress

from django.contrib import admin
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from analytics.admin.payload import as_pre
from analytics.calculations.compression import decompress
from analytics.calculations.records import InvalidEvent, TooLarge
from analytics.models import ImportRun, InboxRequest
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import number


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
        return f"{number(vars(waiting)['octets'])} bytes"

    @admin.display(description="Body")
    def content(self, waiting: InboxRequest) -> SafeString:
        with suppress(InvalidEvent, TooLarge):
            return as_pre(decompress(bytes(waiting.body)))
        return as_pre(waiting.body)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = [
        "file_name",
        "started_at",
        "state",
        "lines",
        "stored",
        "duplicates",
        "erased",
        "rejected_events",
    ]
    fields = [
        *list_display,
        "file_format",
        "proved",
        "first_event_at",
        "last_event_at",
        "future_events",
        "old_events",
        "finished_at",
        "fingerprint",
    ]
    search_fields = ["file_name"]
    ordering = ["-pk"]

    @admin.display(description="State")
    def state(self, run: ImportRun) -> str:
        return "Finished" if run.finished_at else "Not finished"

    @admin.display(description="Rejected", ordering="rejected")
    def rejected_events(self, run: ImportRun) -> str:
        if not run.rejected:
            return "0"
        rejected = reverse("admin:analytics_rejectedevent_changelist")
        return link_to(f"{rejected}?import_run__id__exact={run.pk}", number(run.rejected))
