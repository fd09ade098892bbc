"""All scheduled jobs.

Missing entries are created, existing ones never overwritten: edits in the admin survive a deploy.

A run that was missed is caught up: once beat is back (config/scheduler.py), or once a worker is,
within `useful_for` of the time when it was asked for. After that the job's next run does the same
work, so nothing piles up. What a late run may still do is the job's own decision: reports are sent
only for the period that is due now.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from common.calculations.health import Component, Health

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

SCHEDULE: dict[str, dict[str, Any]] = {
    "forward-to-posthog": {
        "task": "analytics.tasks.forward_to_posthog",
        "crontab": {"minute": "*"},
        "useful_for": MINUTE,
        "description": "Forward captured events to PostHog, where that is set up.",
    },
    "retry-rejected-events": {
        "task": "analytics.tasks.retry_rejected_events",
        "crontab": {"minute": "*"},
        "useful_for": MINUTE,
        "description": "Retry the rejected events that staff selected, where that has not ended.",
    },
    "make-partitions": {
        "task": "analytics.tasks.make_partitions",
        "crontab": {"minute": "23", "hour": "3"},
        "useful_for": DAY,
        "description": "Make the event table's partitions of this month and the next three.",
    },
    "send-due-usage-notices": {
        "task": "billing.tasks.send_due_usage_notices",
        "crontab": {"minute": "41"},
        "useful_for": HOUR,
        "description": "Notify people, once, when 80 or 100 % of a usage limit is used.",
    },
    "apply-pending-stripe-events": {
        "task": "billing.tasks.apply_pending_stripe_events",
        "crontab": {"minute": "*"},
        "useful_for": MINUTE,
        "description": "Apply Stripe's events that failed or were never enqueued, and link the"
        " customers of persons who came later.",
    },
    "update-referrals": {
        "task": "growth.tasks.update_referrals",
        "crontab": {"minute": "*"},
        "useful_for": MINUTE,
        "description": "Derive referrals from new events; make, settle and send their rewards.",
    },
    "recount-due-revenue": {
        "task": "billing.tasks.recount_due_revenue",
        "crontab": {"minute": "3"},
        "useful_for": HOUR,
        "description": "Recount customers whose MRR changes on its own or waits for a rate.",
    },
    "check-revenue": {
        "task": "billing.tasks.check_revenue",
        "crontab": {"minute": "47", "hour": "3"},
        "useful_for": DAY,
        "description": "Check that the MRR ledger adds up on every day.",
    },
    "check-kpi-alerts": {
        "task": "operational.tasks.check_kpi_alerts",
        "crontab": {"minute": "15", "hour": "*/6"},
        "useful_for": 6 * HOUR,
        "description": "Check the KPIs of the last complete day, and notify people of changes.",
    },
    "check-data-quality": {
        "task": "operational.tasks.check_data_quality",
        "crontab": {"minute": "37", "hour": "*/6"},
        "useful_for": 6 * HOUR,
        "description": "Run every data-quality check and keep its findings.",
    },
    # The hours of these two are in each recipient's time zone; the third sends.
    "daily-report": {
        "task": "operational.tasks.send_due_reports",
        "crontab": {"minute": "0", "hour": "9"},
        "useful_for": DAY,
        "description": "Send the daily report at this time in each recipient's time zone.",
    },
    "weekly-report": {
        "task": "operational.tasks.send_due_reports",
        "crontab": {"minute": "0", "hour": "9", "day_of_week": "1"},
        "useful_for": 5 * DAY,
        "description": "Send the weekly report at this time in each recipient's time zone.",
    },
    "send-due-reports": {
        "task": "operational.tasks.send_due_reports",
        "crontab": {"minute": "*/5"},
        "useful_for": 5 * MINUTE,
        "description": "Send the reports that are due in each recipient's time zone.",
    },
    "check-system-health": {
        "task": "operational.tasks.check_system_health",
        "crontab": {"minute": "*"},
        "useful_for": MINUTE,
        "description": "Check the system's health, as the watchdog does.",
    },
    "send-messages": {
        "task": "operational.tasks.send_messages",
        "crontab": {"minute": "*"},
        "useful_for": MINUTE,
        "description": "Send the messages that wait: alerts, then reports.",
    },
    "clean-up": {
        "task": "operational.tasks.clean_up",
        "crontab": {"minute": "0", "hour": "3"},
        "useful_for": DAY,
        "description": "Delete old job history, sent messages and ended exclusions.",
    },
    "record-kpi-readings": {
        "task": "operational.tasks.record_kpi_readings",
        "crontab": {"minute": "7"},
        "useful_for": HOUR,
        "description": "Record the KPI readings of the last complete day, and restate the past 65.",
    },
}


_ALWAYS = dict.fromkeys(["minute", "hour", "day_of_week", "day_of_month", "month_of_year"], "*")


def create_missing_entries(**_: Any) -> None:
    now = timezone.now()
    for name, entry in SCHEDULE.items():
        if PeriodicTask.objects.filter(name=name).exists():
            continue
        when = {"timezone": "UTC", **_ALWAYS, **entry["crontab"]}
        crontab = CrontabSchedule.objects.filter(**when).first()  # there may be duplicates
        crontab = crontab or CrontabSchedule.objects.create(**when)
        PeriodicTask.objects.create(
            name=name,
            start_time=now,
            last_run_at=now,  # without it beat runs new jobs at once, and they raise alerts
            task=entry["task"],
            crontab=crontab,
            expire_seconds=int(entry["useful_for"].total_seconds()),
            description=entry["description"],
        )


def missing_jobs(_now: datetime) -> Iterator[Component]:
    """Report the jobs that no schedule starts any more: they were deleted or renamed."""
    existing = PeriodicTask.objects.filter(name__in=SCHEDULE).values_list("name", flat=True)
    if missing := SCHEDULE.keys() - set(existing):
        yield Component(
            "schedule",
            Health.WARNING,
            f"Deleted or renamed: {', '.join(sorted(missing))}.",
            remedy="Create them again: python manage.py migrate",
        )
