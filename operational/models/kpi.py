"""The goals that staff set for KPIs, and the KPIs' daily readings."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from common.calculations.statistics import Status
from operational.calculations.catalogue import kpi_name


class KpiGoal(models.Model):
    """One version of a KPI's target, weight and thresholds; a change creates a new version."""

    kpi = models.CharField(max_length=32)
    version = models.PositiveIntegerField()
    target = models.FloatField(
        help_text="Full score at this value. Rates as fractions: 0.25 = 25 %"
    )
    weight = models.PositiveSmallIntegerField(
        help_text="Share of the alignment score, relative to the other KPIs' weights"
    )
    warning = models.FloatField(
        null=True, blank=True, help_text="A value worse than this is a warning"
    )
    critical = models.FloatField(
        null=True, blank=True, help_text="A value worse than this is critical"
    )
    basis = models.CharField(
        max_length=16, blank=True, help_text="What growth is measured on, for the growth KPI"
    )
    note = models.CharField(max_length=200, blank=True, help_text="Why it was changed")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )

    class Meta:
        verbose_name = "goal"
        constraints = [
            models.UniqueConstraint(fields=["kpi", "version"], name="one_goal_per_kpi_and_version")
        ]

    def __str__(self) -> str:
        return f"{kpi_name(self.kpi)}, version {self.version}"


class KpiReading(models.Model):
    """A KPI as of the end of a day, with everything needed to explain it.

    Late events restate a reading; `first_value` keeps the value as first reported.
    """

    kpi = models.CharField(max_length=32)
    day = models.DateField(help_text="The last complete day it covers")
    status = models.CharField(
        max_length=16, choices=[(status.value, status.value) for status in Status]
    )
    reason = models.TextField(blank=True)
    value = models.FloatField(null=True)
    numerator = models.FloatField(null=True)
    denominator = models.FloatField(null=True)
    low = models.FloatField(null=True, help_text="95 % interval, lower end")
    high = models.FloatField(null=True, help_text="95 % interval, upper end")
    window_from = models.DateField(null=True)
    window_to = models.DateField(null=True)
    basis = models.CharField(max_length=16, blank=True)
    exclusions = models.JSONField(default=list)
    formula_version = models.PositiveIntegerField()
    goal_version = models.PositiveIntegerField(help_text="In force when it was first reported")
    recorded_at = models.DateTimeField(help_text="When the value was last computed")
    first_value = models.FloatField(null=True, help_text="As first reported")
    first_recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = "KPI reading"
        constraints = [
            models.UniqueConstraint(fields=["kpi", "day"], name="one_reading_per_kpi_and_day")
        ]
        indexes = [models.Index(fields=["day"])]

    def __str__(self) -> str:
        return f"{kpi_name(self.kpi)} on {self.day}"
