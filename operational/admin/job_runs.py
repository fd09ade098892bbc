"""The history of the scheduled jobs."""

from django.contrib import admin

from common.admin.read_only import ReadOnlyAdmin
from common.formatting import elapsed
from operational.models import JobRun


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "job", "outcome", "took", "problem"]
    list_display_links = None
    list_filter = ["outcome", "job"]
    date_hierarchy = "started_at"
    ordering = ["-started_at"]

    @admin.display(description="Took")
    def took(self, run: JobRun) -> str:
        return elapsed(run.finished_at - run.started_at if run.finished_at else None)
