"""The alerts: how each is, what people were told, and every change."""

from django.conf import settings
from django.db import models

from operational.calculations.alert import AlertStatus, NotificationKind
from operational.calculations.catalogue import kpi_name
from operational.calculations.kpi import Severity

_SEVERITIES = [(one.value, one.value) for one in Severity]


class Alert(models.Model):
    """What may go wrong with one KPI or one part of the system, and whether it does."""

    class Kind(models.TextChoices):
        KPI = "kpi", "KPI"
        HEALTH = "health", "system health"

    kind = models.CharField(max_length=6, choices=Kind.choices)
    subject = models.CharField(max_length=64, help_text="The KPI, or the part of the system")
    # The policy, which staff edit.
    needed = models.PositiveSmallIntegerField(
        default=2, help_text="How many of the latest readings have to be bad for it to fire"
    )
    of = models.PositiveSmallIntegerField("of the latest", default=3)
    margin = models.FloatField(
        "recovery margin",
        default=0.02,
        help_text="By how much a value has to pass its threshold to resolve: 0.02 is 2 %",
    )
    reminder_days = models.PositiveSmallIntegerField(
        default=3, help_text="Days between reminders while nobody acknowledged it; 0: none"
    )
    # The state: operational.calculations.alert.AlertState.
    status = models.CharField(
        max_length=8,
        choices=[(one.value, one.value.replace("_", " ")) for one in AlertStatus],
        default=AlertStatus.OK.value,
    )
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
    told_episode = models.PositiveIntegerField(default=0)
    told = models.CharField(max_length=8, choices=_SEVERITIES, default=Severity.OK.value)
    told_at = models.DateTimeField(null=True)
    # What it was last judged by.
    latest = models.TextField(blank=True, help_text="What the latest reading says")
    recent = models.JSONField(default=list, help_text="The latest readings of a part's health")
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_alert_per_subject")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Return what it is about, for people."""
        return kpi_name(self.subject) if self.kind == self.Kind.KPI else self.subject.capitalize()


class AlertChange(models.Model):
    """One change of an alert, and what people were told of it. Never edited."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    was = models.CharField(max_length=8)
    status = models.CharField(max_length=8)
    told = models.CharField(
        max_length=8, blank=True, choices=[(one.value, one.value) for one in NotificationKind]
    )
    detail = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["alert", "-at"], name="alert_change_by_alert")]

    def __str__(self) -> str:
        return f"{self.alert}: {self.was} to {self.status}"
