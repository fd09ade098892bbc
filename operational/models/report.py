"""Reports as they were first made, and their subscribers."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from common.calculations.calendar import is_time_zone
from common.postgres import LowerAscii


class ReportKind(models.TextChoices):
    DAILY = "daily"
    WEEKLY = "weekly"


class Report(models.Model):
    """A report of a period, as it was first made; see `operational.reports.making`."""

    kind = models.CharField(max_length=6, choices=ReportKind.choices)
    day = models.DateField(help_text="The last day of the period")
    made_at = models.DateTimeField()
    content = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "day"], name="one_report_per_period")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} report of {self.day}"


class ReportSubscriber(models.Model):
    """A recipient of reports, at the hour of the schedule in their own time zone."""

    email = models.EmailField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Their account, if they have one. Reports stop when it is deactivated.",
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        help_text="For example Europe/Berlin",
    )
    daily = models.BooleanField("daily report", default=True)
    weekly = models.BooleanField("weekly report", default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                LowerAscii("email"),
                name="one_subscriber_per_address",
                violation_error_message="This address is subscribed already.",
            )
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        if not is_time_zone(self.time_zone):
            message = f"“{self.time_zone}” is not a time zone: use a name such as Europe/Berlin."
            raise ValidationError({"time_zone": message})
