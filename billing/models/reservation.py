"""Granted usage whose events have not arrived yet."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from analytics.models import DistinctId
from billing.models.meter import UsageMeter


class UsageReservation(models.Model):
    """A person may use `amount` of a meter, so that the usage becomes `up_to`.

    It belongs to a distinct id, so it follows its person through merges and undone merges, and is
    deleted by the database when the person is erased.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    distinct_id = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )
    meter = models.ForeignKey(UsageMeter, on_delete=models.CASCADE)
    period_start = models.DateTimeField()
    amount = models.PositiveBigIntegerField()
    up_to = models.DecimalField(max_digits=40, decimal_places=10)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001  (null: no key)
    key_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["distinct_id", "meter", "key_of", "idempotency_key"],
                name="one_reservation_per_idempotency_key",
            )
        ]

    def __str__(self) -> str:
        return f"reservation {self.pk}"

    def holds(self, period_start: datetime, *, now: datetime) -> bool:
        """Whether it holds its amount in the period that begins then."""
        return self.expires_at > now and self.period_start == period_start
