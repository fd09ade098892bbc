"""Events waiting to be forwarded to PostHog, and the state of forwarding."""

from django.db import models
from django.db.models.functions import Now


class ForwardingBatch(models.Model):
    """Captured events not yet in PostHog; their ids are in the order of ingestion."""

    created_at = models.DateTimeField(db_default=Now())
    events = models.IntegerField()
    size = models.IntegerField(help_text="Bytes, decompressed")
    body = models.BinaryField(help_text="A JSON array of events, zstd")

    def __str__(self) -> str:
        return f"{self.events} events"


class ForwardingState(models.Model):
    """The state of forwarding. There is at most one row."""

    forwarded = models.BigIntegerField(default=0, help_text="Events that PostHog has accepted")
    last_success_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="Failed attempts since the last success")
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(default="")
    next_attempt_at = models.DateTimeField(null=True, help_text="The earliest time after a failure")

    def __str__(self) -> str:
        return self.last_error or "forwarding"
