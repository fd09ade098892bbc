"""Alerts: their state, the last notification, and every change."""

from django.conf import settings
from django.db import models

from operational.calculations.alert import AlertStatus, NotificationKind
from operational.calculations.catalogue import kpi_name
from operational.calculations.kpi import Severity

_SEVERITIES = [(severity.value, severity.value) for severity in Severity]
_STATUSES = [(status.value, status.value.replace("_", " ")) for status in AlertStatus]


class AlertKind(models.TextChoices):
    KPI = "kpi", "KPI"
    HEALTH = "health", "system health"


class Alert(models.Model):
    """The alert of one KPI or one component of the system."""

    kind = models.CharField(max_length=6, choices=AlertKind.choices)
    subject = models.CharField(max_length=64, help_text="The KPI, or the component of the system")
    # The policy, which staff edit.
    needed = models.PositiveSmallIntegerField(
        default=2, help_text="How many of the latest readings must breach a threshold to fire"
    )
    window = models.PositiveSmallIntegerField(
        "latest readings", default=3, help_text="How many readings are considered"
    )
    margin = models.FloatField(
        "recovery margin",
        default=0.02,
        help_text="How far a value must pass its threshold to resolve: 0.02 is 2 %",
    )
    reminder_days = models.PositiveSmallIntegerField(
        default=3, help_text="Days between reminders until it is acknowledged; 0: none"
    )
    # The state: operational.calculations.alert.AlertState.
    status = models.CharField(max_length=8, choices=_STATUSES, default=AlertStatus.OK.value)
    firing = models.CharField(max_length=8, choices=_SEVERITIES, default=Severity.OK.value)
    episode = models.PositiveIntegerField(default=0, help_text="How often it has fired")
    since = models.DateTimeField(null=True)
    fired_at = models.DateTimeField(null=True, help_text="When the last episode began")
    cleared = models.BigIntegerField(default=0)
    acknowledged = models.BooleanField(default=False)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    silenced_until = models.DateTimeField(null=True, blank=True)
    silence_reason = models.CharField(max_length=200, blank=True)
    notified_episode = models.PositiveIntegerField(default=0)
    notified_severity = models.CharField(
        max_length=8, choices=_SEVERITIES, default=Severity.OK.value
    )
    notified_at = models.DateTimeField(null=True)
    # The readings it was last judged by.
    latest = models.TextField(blank=True, help_text="The latest reading in words")
    recent = models.JSONField(default=list, help_text="The latest readings of a component's health")
    checked_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="Why the last check of it failed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_alert_per_subject")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Return the display name of its subject."""
        return kpi_name(self.subject) if self.kind == AlertKind.KPI else self.subject.capitalize()


class AlertChange(models.Model):
    """One change of an alert, and the notification sent about it. Never edited."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    was = models.CharField(max_length=8, choices=_STATUSES)
    status = models.CharField(max_length=8, choices=_STATUSES)
    notification = models.CharField(
        max_length=8,
        blank=True,
        choices=[(kind.value, kind.value) for kind in NotificationKind],
    )
    detail = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["-pk"]  # not by time: a clock may be set
        indexes = [models.Index(fields=["alert", "-at"], name="alert_change_by_alert")]

    def __str__(self) -> str:
        return f"{self.alert}: {self.was} to {self.status}"
