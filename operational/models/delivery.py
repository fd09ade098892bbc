"""Messages to staff, where they are sent, and their outcome."""

from django.db import models
from django.db.models.functions import Now


class AlertChannel(models.Model):
    """A destination of alerts besides ADMIN_EMAIL, such as a Slack channel or a webhook."""

    name = models.CharField(max_length=100, unique=True)
    url = models.CharField(
        "Apprise URL",
        max_length=1000,
        help_text="For example slack://TokenA/TokenB/TokenC/ or jsons://hooks.example.com/alerts",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class DeliveryKind(models.TextChoices):
    ALERT = "alert"
    DAILY_REPORT = "daily report"
    WEEKLY_REPORT = "weekly report"
    TEST = "test"


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed", "failed: gave up"
    EXPIRED = "expired", "expired: too late to be useful"


class Delivery(models.Model):
    """A message to one recipient; its row is committed before anything is sent."""

    key = models.CharField(
        max_length=300, unique=True, help_text="Identifies the message, so that it is sent once"
    )
    kind = models.CharField(max_length=13, choices=DeliveryKind.choices)
    email = models.EmailField(blank=True)
    channel = models.ForeignKey(AlertChannel, null=True, on_delete=models.CASCADE)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    status = models.CharField(
        max_length=7, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="The next attempt, or the end of a claim")
    expires_at = models.DateTimeField(help_text="Not sent after this time")
    sent_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="Why the last attempt failed")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["due_at"], name="delivery_due", condition=models.Q(due_at__isnull=False)
            ),
            models.Index(fields=["-created_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def recipient(self) -> str:
        return self.channel.name if self.channel else self.email
