"""What should be done next, who owns it, and what it achieved."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from operational.calculations.catalogue import kpi_name
from operational.calculations.kpi import Severity


class ActionKind(models.TextChoices):
    KPI = "kpi", "KPI"
    QUALITY = "quality", "data quality"
    HEALTH = "health", "system health"


class ActionState(models.TextChoices):
    OPEN = "open"
    TAKEN = "taken"
    DONE = "done"
    DISMISSED = "dismissed"
    SETTLED = "settled", "resolved automatically"


class PriorityAction(models.Model):
    """One thing to do about a KPI below its target, a failed check or an unhealthy component."""

    kind = models.CharField(max_length=7, choices=ActionKind.choices)
    subject = models.CharField(max_length=64, help_text="The KPI, the check or the component")
    state = models.CharField(max_length=9, choices=ActionState.choices, default=ActionState.OPEN)
    # As of the last refresh, or when it was closed.
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    severity = models.CharField(
        max_length=8,
        choices=[(severity.value, severity.value) for severity in Severity],
        default=Severity.OK.value,
    )
    points_lost = models.FloatField(default=0, help_text="Of the alignment score")
    reach = models.FloatField(
        default=1, help_text="The share of the gap that it is expected to close"
    )
    people = models.PositiveIntegerField(null=True, help_text="People affected")
    opened_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    # Set by staff.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    due = models.DateField(null=True, blank=True)
    notes = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was dismissed")
    # The effect on the KPI.
    kpi_before = models.FloatField(null=True, help_text="When it was taken")
    kpi_after = models.FloatField(null=True, help_text="When it was done, and up to 30 days later")
    kpi_after_day = models.DateField(null=True)
    target = models.FloatField(null=True, help_text="When it was done")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(state__in=["open", "taken"]),
                name="one_active_action_per_subject",
            )
        ]
        indexes = [models.Index(fields=["kind", "subject", "-closed_at"], name="action_by_subject")]

    def __str__(self) -> str:
        return self.title

    @property
    def recoverable(self) -> float:
        """Return the recoverable points of the alignment score."""
        return self.points_lost * self.reach

    @property
    def is_active(self) -> bool:
        return self.state in {ActionState.OPEN, ActionState.TAKEN}

    @property
    def about(self) -> str:
        return kpi_name(self.subject) if self.kind == ActionKind.KPI else self.subject
