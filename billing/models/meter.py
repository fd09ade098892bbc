"""Usage meters, counted from a person's events."""

from django.core.exceptions import ValidationError
from django.db import models

from analytics.calculations.event_totals import Aggregation
from billing.calculations.plan import MeterPeriod


class UsageMeter(models.Model):
    """A number counted from a person's events within a period."""

    slug = models.SlugField(
        unique=True, help_text="Name in the API, for example workflow_runs. Do not change it."
    )
    name = models.CharField(
        max_length=60, help_text="As shown to your customers, for example “Workflow runs”"
    )
    event = models.CharField(
        max_length=200, blank=True, help_text="Name of the counted event. Empty: every event."
    )
    aggregation = models.CharField(
        "counts",
        max_length=10,
        choices=[
            (Aggregation.COUNT.value, "the events"),
            (Aggregation.DISTINCT.value, "distinct values of a property"),
            (Aggregation.SUM.value, "the sum of a property"),
        ],
        default=Aggregation.COUNT.value,
    )
    property = models.CharField(
        max_length=200,
        blank=True,
        help_text="The property whose values count. A sum adds positive numbers only; the usage"
        " page of a person shows how many events were ignored.",
    )
    period = models.CharField(
        max_length=10,
        choices=[
            (MeterPeriod.MONTH.value, "calendar month"),
            (MeterPeriod.BILLING.value, "billing period (without a subscription: calendar month)"),
            (MeterPeriod.LIFETIME.value, "lifetime"),
        ],
        default=MeterPeriod.MONTH.value,
        help_text="When usage resets. Months follow PLUMBLINE_TIME_ZONE.",
    )
    claims_count = models.BooleanField(
        "claims count",
        db_default=False,
        help_text="Count events sent with a public key for everyone. Everyone who reads the key in"
        " your pages can then use up the limit of any person whose distinct id they know, and have"
        " that person notified. Without it such events count only for persons without a proved id.",
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.aggregation == Aggregation.COUNT and self.property:
            raise ValidationError(
                {"property": "Leave empty: counting events does not use a property."}
            )
        if self.aggregation != Aggregation.COUNT and not self.property:
            raise ValidationError({"property": "Enter the property whose values count."})
