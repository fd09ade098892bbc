"""Requests that may be sent again without being done again."""

from django.db import models
from django.db.models.functions import Now


class IdempotentRequest(models.Model):
    """What was asked under an idempotency key, and what was answered."""

    key = models.CharField(max_length=255, primary_key=True)
    fingerprint = models.CharField(max_length=64, help_text="Of path and body: sha256")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: not answered yet")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.key
