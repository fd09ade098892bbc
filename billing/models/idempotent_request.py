"""Requests that may be retried without being executed twice."""

from django.db import models
from django.db.models.functions import Now


class IdempotentRequest(models.Model):
    """A request with an idempotency key, and its response."""

    key = models.CharField(max_length=255, primary_key=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of path and body")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: still in progress")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.key
