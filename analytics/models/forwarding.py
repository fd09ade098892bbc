"""What waits to be forwarded to PostHog, and how that goes."""

from django.db import models
from django.db.models.functions import Now


class ForwardingBatch(models.Model):
    """Captured events that PostHog does not have yet; by id they are in the order of ingestion."""

    created_at = models.DateTimeField(db_default=Now())
    events = models.IntegerField()
    size = models.IntegerField(help_text="Bytes, decompressed")
    body = models.BinaryField(help_text="A JSON array of events, zstd")

    def __str__(self) -> str:
        return f"{self.events} events"


class ForwardingState(models.Model):
    """How forwarding goes. There is at most one row."""

    forwarded = models.BigIntegerField(default=0, help_text="Events that PostHog took so far")
    last_success_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="Attempts since, all of which failed")
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(default="")
    next_attempt_at = models.DateTimeField(null=True, help_text="Not before, after a failure")

    def __str__(self) -> str:
        return self.last_error or "forwarding"
