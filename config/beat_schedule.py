"""All scheduled jobs.

Missing entries are created, existing ones never overwritten: edits in the admin survive a deploy.
"""

from typing import Any

from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

SCHEDULE: dict[str, dict[str, Any]] = {
    "forward-to-posthog": {
        "task": "analytics.tasks.forward_to_posthog",
        "crontab": {"minute": "*"},
        "expire_seconds": 60,  # nothing piles up while no worker runs
        "description": "Forward captured events to PostHog, where that is set up.",
    },
    "make-partitions": {
        "task": "analytics.tasks.make_partitions",
        "crontab": {"minute": "23", "hour": "3"},
        "description": "Make the event table's partitions of this month and the next three.",
    },
    "send-due-usage-notices": {
        "task": "billing.tasks.send_due_usage_notices",
        "crontab": {"minute": "41"},
        "description": "Notify people, once, when 80 or 100 % of a usage limit is used.",
    },
    "apply-pending-stripe-events": {
        "task": "billing.tasks.apply_pending_stripe_events",
        "crontab": {"minute": "*"},
        "expire_seconds": 60,
        "description": "Apply Stripe's events that failed or were never enqueued, and link the"
        " customers of persons who came later.",
    },
    "recount-due-revenue": {
        "task": "billing.tasks.recount_due_revenue",
        "crontab": {"minute": "3"},
        "description": "Recount customers whose MRR changes on its own or waits for a rate.",
    },
    "check-revenue": {
        "task": "billing.tasks.check_revenue",
        "crontab": {"minute": "47", "hour": "3"},
        "description": "Check that the MRR ledger adds up on every day.",
    },
    "check-kpi-alerts": {
        "task": "operational.tasks.check_kpi_alerts",
        "crontab": {"minute": "15", "hour": "*/6"},
        "description": "Check the KPIs of the last complete day, and notify people of changes.",
    },
    "check-data-quality": {
        "task": "operational.tasks.check_data_quality",
        "crontab": {"minute": "37", "hour": "*/6"},
        "description": "Run every data-quality check and keep its findings.",
    },
    # The hours of these two are in each recipient's time zone; the third sends.
    "daily-report": {
        "task": "operational.tasks.send_due_reports",
        "crontab": {"minute": "0", "hour": "9"},
        "description": "Send the daily report at this time in each recipient's time zone.",
    },
    "weekly-report": {
        "task": "operational.tasks.send_due_reports",
        "crontab": {"minute": "0", "hour": "9", "day_of_week": "1"},
        "description": "Send the weekly report at this time in each recipient's time zone.",
    },
    "send-due-reports": {
        "task": "operational.tasks.send_due_reports",
        "crontab": {"minute": "*/5"},
        "expire_seconds": 300,
        "description": "Send the reports that are due in each recipient's time zone.",
    },
    "check-system-health": {
        "task": "operational.tasks.check_system_health",
        "crontab": {"minute": "*"},
        "expire_seconds": 60,
        "description": "Check the system's health, as the watchdog does.",
    },
    "send-messages": {
        "task": "operational.tasks.send_messages",
        "crontab": {"minute": "*"},
        "expire_seconds": 60,
        "description": "Send the messages that wait: alerts, then reports.",
    },
    "clean-up": {
        "task": "operational.tasks.clean_up",
        "crontab": {"minute": "0", "hour": "3"},
        "description": "Delete old job history, sent messages and ended exclusions.",
    },
    "record-kpi-readings": {
        "task": "operational.tasks.record_kpi_readings",
        "crontab": {"minute": "7"},
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
            expire_seconds=entry.get("expire_seconds"),
            description=entry["description"],
        )
