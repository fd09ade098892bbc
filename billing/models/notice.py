"""Notices sent to a person about their usage."""

from django.db import models
from django.db.models.functions import Now

from analytics.models import DistinctId
from billing.models.meter import UsageMeter
from billing.models.plan import Plan


class UsageNotice(models.Model):
    """A person's usage passed 80 or 100 % of a limit: claimed once, then recorded and e-mailed.

    It belongs to a distinct id, so it follows its person through merges and undone merges, and is
    deleted by the database when the person is erased.
    """

    class Email(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed", "Failed: the next run retries"
        NO_ADDRESS = "no_address", "Not sent: no e-mail address"
        UNPROVED = "unproved", "Not sent: the address is only claimed"
        SUPPRESSED = "suppressed", "Not sent: the address bounced or its owner reported spam"
        DUPLICATE = "duplicate", "Not sent: the address got the same e-mail for another person"
        CAPPED = "capped", "Not sent: the address got its e-mails of the day"
        OUTDATED = "outdated", "Not sent: no longer true"
        PLAN_WITHOUT = "plan_without", "Not sent: turned off for the plan"
        DEMO = "demo", "Not sent: demo person"
        OFF = "off", "Not sent: PLUMBLINE_EMAIL_FROM is not set"

    distinct_id = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )
    meter = models.ForeignKey(UsageMeter, on_delete=models.CASCADE)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    period_start = models.DateTimeField()
    resets_at = models.DateTimeField(null=True)
    threshold = models.PositiveSmallIntegerField(help_text="Percent of the limit")
    used = models.DecimalField(max_digits=40, decimal_places=10)
    limit = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(db_default=Now())
    email = models.CharField("e-mail", max_length=12, choices=Email, default=Email.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, help_text="When another worker may send it")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["distinct_id", "meter", "plan", "period_start", "threshold"],
                name="one_notice_per_period_and_threshold",
            )
        ]
        indexes = [
            models.Index(
                fields=["email"],
                condition=models.Q(email__in=["waiting", "failed", "sending"]),
                name="notice_to_send",
            )
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"
