"""The scheduled jobs, styled like the admin. A schedule that can never run is refused."""

import json
from datetime import datetime
from inspect import signature
from typing import Any

from celery import current_app
from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_celery_beat.admin import ClockedScheduleAdmin as BeatClockedScheduleAdmin
from django_celery_beat.admin import CrontabScheduleAdmin as BeatCrontabScheduleAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm as BeatPeriodicTaskForm
from django_celery_beat.admin import TaskSelectWidget as BeatTaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from common.admin.model_admin import ModelAdmin
from operational.health.schedules import CannotFire, next_due
from operational.reports import report_schedule

# Solar schedules need a library that Plumbline does not have, so there are no pages for them.
admin.site.unregister(
    [ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule]
)


def _check_that_it_fires(**schedule: Any) -> None:
    """Raise `ValidationError` for a crontab or an interval that never fires."""
    try:
        next_due(PeriodicTask(**schedule), timezone.now())
    except CannotFire as error:
        raise forms.ValidationError(f"This can never run: {error}.") from error


class TaskSelectWidget(UnfoldAdminSelectWidget, BeatTaskSelectWidget):
    pass


class PeriodicTaskForm(BeatPeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskSelectWidget()

    def clean_expires(self) -> datetime | None:
        expires: datetime | None = self.cleaned_data["expires"]
        if expires and expires <= timezone.now():
            raise forms.ValidationError("This has passed, so the job would never run.")
        return expires

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        self._check_task(data)
        if data.get("crontab") or data.get("interval"):
            _check_that_it_fires(crontab=data.get("crontab"), interval=data.get("interval"))
        name = data.get("name") or self.instance.name
        if name in report_schedule.JOBS.values() and not data.get("crontab"):
            self.add_error("crontab", "A report needs a crontab: its hour is each recipient's.")
        return data

    def _check_task(self, data: dict[str, Any]) -> None:
        """Refuse what would fail each time, and Celery's own tasks that run other ones."""
        current_app.loader.import_default_modules()
        name = data["task"]
        task = current_app.tasks.get(name)
        if task is None or (name.startswith("celery.") and name != "celery.backend_cleanup"):
            self.add_error("task", "There is no such task, so the job would never run.")
            return
        try:
            arguments, named = json.loads(data["args"] or "[]"), json.loads(data["kwargs"] or "{}")
            signature(task.run).bind(*arguments, **named)
        except (KeyError, TypeError, ValueError) as error:
            self.add_error("args", f"The task does not take these arguments: {error}")


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BeatPeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm
    change_form_template = None  # beat's own needs inline scripts, which the CSP forbids
    list_display = ("name", "enabled", "scheduler", "start_time", "last_run", "one_off")
    list_filter = ("enabled", "one_off", "task")
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        (
            "Schedule",
            {
                "fields": (
                    *("crontab", "crontab_translation", "interval", "clocked"),
                    *("start_time", "last_run", "one_off"),
                )
            },
        ),
        ("Arguments", {"fields": ("args", "kwargs")}),
        ("Execution options", {"fields": ("expires", "expire_seconds")}),
    )
    readonly_fields = ("last_run", "crontab_translation")

    def get_readonly_fields(
        self, request: HttpRequest, obj: PeriodicTask | None = None
    ) -> tuple[str, ...]:
        """Let jobs keep their names: the job history, reports and `migrate` go by them."""
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return beat's actions, which start and stop jobs, to those who may change them."""
        may_change = self.has_change_permission(request)
        actions: dict[str, Any] = super().get_actions(request) if may_change else {}
        return actions

    def changeform_view(self, *args: Any, **options: Any) -> HttpResponse:
        """Leave out beat's list of all crontabs: one that cannot be read would break every page."""
        response: HttpResponse = super(BeatPeriodicTaskAdmin, self).changeform_view(
            *args, **options
        )
        return response

    def save_model(
        self, request: HttpRequest, obj: PeriodicTask, form: forms.ModelForm, change: bool
    ) -> None:
        """Record when a new job begins, so that it is overdue if it never runs."""
        if not change and obj.start_time is None:
            obj.start_time = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description="Last run", ordering="last_run_at")
    def last_run(self, task: PeriodicTask) -> datetime | None:
        """Return when beat last started it; a new job's `last_run_at` is when it was created."""
        return task.last_run_at if task.total_run_count else None


class CrontabForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            _check_that_it_fires(crontab=CrontabSchedule(**data))
        return data


class IntervalForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            _check_that_it_fires(interval=IntervalSchedule(**data))
        return data


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(BeatCrontabScheduleAdmin, ModelAdmin):
    form = CrontabForm
    inlines = ()


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(BeatClockedScheduleAdmin, ModelAdmin):
    inlines = ()


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):
    form = IntervalForm
