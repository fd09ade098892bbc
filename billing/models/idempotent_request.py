"""Requests that may be retried without being executed twice."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class IdempotentRequest(models.Model):
    """A request with an idempotency key of a user, and its response."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of path and body")
    distinct_id = models.TextField(
        db_default="", db_index=True, help_text="Of the person that the request is about"
    )
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: still in progress")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="one_request_per_user_and_idempotency_key"
            )
        ]

    def __str__(self) -> str:
        return self.key
