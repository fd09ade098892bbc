"""Exceptions that staff grant to a person, with an end date."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Now

from analytics.models import DistinctId
from billing.models.meter import UsageMeter
from billing.models.plan import LARGEST_LIMIT, Plan


class LimitException(models.Model):
    """Gives a person another plan, or another limit on one meter.

    It belongs to a distinct id, so it follows its person through merges and undone merges, and is
    deleted by the database when the person is erased.
    """

    distinct_id = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )
    plan = models.ForeignKey(
        Plan,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Their plan until then, unless they pay for a higher plan",
    )
    meter = models.ForeignKey(
        UsageMeter,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Or the meter on which they get another limit",
    )
    amount = models.PositiveBigIntegerField(
        "limit",
        null=True,
        blank=True,
        validators=[MaxValueValidator(LARGEST_LIMIT)],
        help_text="Replaces the plan's limit on that meter if it is higher. Empty: no limit.",
    )
    ends_on = models.DateField("until", help_text="Last day, inclusive")
    reason = models.CharField(max_length=200, help_text="Shown to other staff")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )

    class Meta:
        verbose_name = "exception"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(plan=None) ^ models.Q(meter=None),
                name="exception_of_a_plan_or_a_meter",
            )
        ]

    def __str__(self) -> str:
        return f"exception {self.pk}"  # without a name, which erasure could not remove from the log

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if self.plan_id is None and self.meter_id is None:
            errors["plan"] = "Choose a plan, or a meter below."
        if self.plan_id is not None and self.meter_id is not None:
            errors["meter"] = "Choose either a plan or a meter. For both, create two exceptions."
        if self.meter_id is None and self.amount is not None:
            errors["amount"] = "Choose the meter of this limit."
        if errors:
            raise ValidationError(errors)
