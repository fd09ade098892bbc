"""Usage meters: what is counted of a person's events."""

from django.core.exceptions import ValidationError
from django.db import models

from analytics.calculations.event_totals import Aggregation
from billing.calculations.plan import MeterPeriod


class UsageMeter(models.Model):
    """A number that is counted from a person's events within a period."""

    slug = models.SlugField(
        unique=True, help_text="How the API names it, such as workflow_runs: keep it."
    )
    name = models.CharField(max_length=60, help_text="As your customers read it: “Workflow runs”")
    event = models.CharField(
        max_length=200, blank=True, help_text="The events that count. Empty: every event."
    )
    aggregation = models.CharField(
        "counts",
        max_length=10,
        choices=[
            (Aggregation.COUNT.value, "the events"),
            (Aggregation.DISTINCT.value, "different values of a property"),
            (Aggregation.SUM.value, "the sum of a property"),
        ],
        default=Aggregation.COUNT.value,
    )
    property = models.CharField(
        max_length=200,
        blank=True,
        help_text="Whose values count. For a sum only positive numbers do; another value adds"
        " nothing, and the person's usage page says how often that was so.",
    )
    period = models.CharField(
        max_length=10,
        choices=[
            (MeterPeriod.MONTH.value, "calendar month"),
            (MeterPeriod.BILLING.value, "billing period (without a subscription: calendar month)"),
            (MeterPeriod.LIFETIME.value, "lifetime"),
        ],
        default=MeterPeriod.MONTH.value,
        help_text="When the count begins anew. Months are those of PLUMBLINE_TIME_ZONE.",
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.aggregation == Aggregation.COUNT and self.property:
            raise ValidationError({"property": "Events are counted whatever their properties are."})
        if self.aggregation != Aggregation.COUNT and not self.property:
            raise ValidationError({"property": "Name the property whose values count."})
