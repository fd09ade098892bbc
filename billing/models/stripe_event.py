"""Events from Stripe, and their outcome."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.models.revenue_customer import CustomerRows


class StripeEventState(models.TextChoices):
    WAITING = "waiting"
    APPLIED = "applied"
    IGNORED = "ignored"
    FAILED = "failed", "failed, to be retried"
    REFUSED = "refused"


class StripeEvent(models.Model):
    """An event as Stripe sent it; it waits until it is applied, ignored or refused."""

    event_id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=250)
    object_id = models.CharField("object", max_length=255, blank=True)
    customer_id = models.CharField("customer", max_length=255, blank=True)
    happened_at = models.DateTimeField(help_text="Stripe's time of the event")
    received_at = models.DateTimeField(db_default=Now())
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of type, time and data")
    payload = models.JSONField(
        help_text="The event; its object is completed with the objects it refers to"
    )
    state = models.CharField(
        max_length=10, choices=StripeEventState.choices, default=StripeEventState.WAITING
    )
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField("next attempt", null=True, help_text="Empty: nothing left to do")

    objects = CustomerRows.as_manager()

    class Meta:
        verbose_name = "Stripe event"
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="stripe_event_due"
            ),
            models.Index(fields=["customer_id", "happened_at"], name="stripe_event_of_customer"),
            models.Index(OpClass("object_id", "text_pattern_ops"), name="stripe_event_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
