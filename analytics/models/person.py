"""Persons: the measured end users, never confused with Django's users (the staff)."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now


class Person(models.Model):
    """An end user of the company's product, known by one or more distinct ids.

    The moments are facts over the person's whole life, kept by ingest under the definitions in
    force (see `RollupDefinition`).
    """

    created_at = models.DateTimeField(db_default=Now(), help_text="When Plumbline first knew them")
    first_seen_at = models.DateTimeField(null=True, help_text="First event of any kind")
    first_event_at = models.DateTimeField(null=True, help_text="First qualifying event")
    signup_at = models.DateTimeField(null=True, help_text="First signup event")
    activated_at = models.DateTimeField(null=True, help_text="First activation event")
    excluded = models.BooleanField(
        default=False, help_text="Test, internal or bot: counted nowhere"
    )
    is_demo = models.BooleanField(default=False, help_text="Made by the demo, removed with it")
    properties = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["signup_at"]),
            models.Index(fields=["is_demo"], condition=models.Q(is_demo=True), name="person_demo"),
            GinIndex(fields=["properties"], opclasses=["jsonb_path_ops"], name="person_properties"),
        ]

    def __str__(self) -> str:
        return str(self.properties.get("email") or f"person {self.pk}")


class DistinctId(models.Model):
    """One of the ids by which a product's code names a person."""

    distinct_id = models.CharField(primary_key=True, max_length=200)
    # No database constraint: on a cluster the two tables are distributed by different columns.
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, db_constraint=False, related_name="distinct_ids"
    )

    def __str__(self) -> str:
        return self.distinct_id


class PersonDay(models.Model):
    """A day, in the time zone in force, on which a person had a qualifying event."""

    pk = models.CompositePrimaryKey("person_id", "day")
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="days"
    )
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["day"])]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.day}"
