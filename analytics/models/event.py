"""Events, partitioned by month, and the register of uuids that makes each count once."""

from django.db import models
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce

from analytics.models.person import Person

# For readers of a property of many events: no event takes long, however large it is.
READABLE_PROPERTIES = "coalesce(short_properties, properties)"


def property_of_event(name: str) -> KeyTransform:
    """Return an expression of a property's value, None where it is missing or too long."""
    return KeyTransform(name, Coalesce("short_properties", "properties"))


class Event(models.Model):
    """Something a person did. The table is partitioned by month of `timestamp` (UTC)."""

    pk = models.CompositePrimaryKey("person_id", "timestamp", "uuid")
    person = models.ForeignKey(
        Person, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    timestamp = models.DateTimeField()
    uuid = models.UUIDField()
    event = models.TextField()
    distinct_id = models.TextField()
    properties = models.JSONField()
    proved = models.BooleanField(
        db_default=False, help_text="Sent by the backend, not only claimed"
    )
    short_properties = models.JSONField(
        null=True, help_text="Those with short values, where reading all properties takes long"
    )

    def __str__(self) -> str:
        return f"{self.event} at {self.timestamp}"


class EventUuid(models.Model):
    """The uuid of every stored event.

    A partitioned table can only enforce uniqueness together with its partition key, and a retried
    request carries the same uuid with a slightly different corrected time.
    """

    uuid = models.UUIDField(primary_key=True)
    timestamp = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.uuid)
