"""One plain table."""

from django.db import models


class Event(models.Model):
    """Something that a person did."""

    uuid = models.UUIDField()
    event = models.CharField(max_length=200)
    distinct_id = models.CharField(max_length=200)
    timestamp = models.DateTimeField()
    properties = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["distinct_id", "timestamp"])]

    def __str__(self) -> str:
        return self.event
