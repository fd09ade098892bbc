"""Persons: the measured end users, never confused with Django's users (the staff)."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from django.db.models import Exists, OuterRef, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now

from analytics.models.activation_delay import ActivationDelay
from common.postgres import LowerAscii

EMPTY_OBJECT = Value({}, models.JSONField())
SET_AT = "When each property was set or removed, in microseconds; negative: set once"


def is_protected(person: str) -> Exists:
    """Return the condition that a person has a proved id; `person` is the path to its id."""
    return Exists(DistinctId.objects.filter(person=OuterRef(person), proved=True))


class PersonQuerySet(models.QuerySet["Person"]):
    def counted(self) -> Self:
        """Return the persons included in metrics: with a profile, and not excluded."""
        return self.filter(excluded=False, has_profile=True)

    def protected(self) -> Self:
        """Return the persons with a proved id: what is only claimed decides nothing about them."""
        return self.filter(is_protected("pk"))


class Described(models.Model):
    """What events say about a person or a group, in two layers: what is claimed, and proved."""

    properties = models.JSONField(
        default=dict, help_text="The values in effect: the proved one where there is one"
    )
    proved = models.JSONField(
        default=dict, db_default=EMPTY_OBJECT, help_text="The proved values among the properties"
    )
    claimed = models.JSONField(
        default=dict, db_default=EMPTY_OBJECT, help_text="Claims that contradict a proved value"
    )
    refused = models.JSONField(
        default=dict, db_default=EMPTY_OBJECT, help_text="Why properties were not stored, by name"
    )
    set_at = models.JSONField(default=dict, db_default=EMPTY_OBJECT, help_text=SET_AT)
    proved_set_at = models.JSONField(
        default=dict, db_default=EMPTY_OBJECT, help_text="The same of what is proved"
    )

    class Meta:
        abstract = True


class Person(Described):
    """An end user of the company's product, known by one or more distinct ids.

    The times are milestones of the person's whole life, kept by ingest under the definitions in
    force (see `RollupDefinition`).
    """

    created_at = models.DateTimeField(db_default=Now(), help_text="When Plumbline created them")
    first_seen_at = models.DateTimeField(null=True, help_text="First event of any kind")
    first_event_at = models.DateTimeField(null=True, help_text="First qualifying event")
    signup_at = models.DateTimeField(null=True, help_text="First signup event")
    activated_at = models.DateTimeField(null=True, help_text="First activation event")
    excluded = models.BooleanField(
        default=False, help_text="Test, internal or bot: excluded from all metrics"
    )
    excluded_by_hand = models.BooleanField(
        null=True, blank=True, help_text="A decision by staff; empty: the exclusion rules decide"
    )
    is_identified = models.BooleanField(
        db_default=False, help_text="Identified by the product, so never merged into another person"
    )
    has_profile = models.BooleanField(
        db_default=True, help_text="Without one, events are stored but the person is not counted"
    )
    is_demo = models.BooleanField(default=False, help_text="Created by the demo, removed with it")
    email_claimed_with = models.BigIntegerField(
        null=True, help_text="The project key that claimed the e-mail address; null if proved"
    )

    objects = PersonQuerySet.as_manager()

    class Meta:
        permissions = [
            ("erase_person", "Can erase persons with every trace of them"),
            ("export_person", "Can export everything about a person"),
        ]
        indexes = [
            # With the columns that rates and the median time to activation read.
            models.Index(
                fields=["signup_at"],
                include=["activated_at", "excluded", "has_profile"],
                name="person_by_signup",
            ),
            models.Index(
                ActivationDelay(),
                "signup_at",
                include=["activated_at", "excluded", "has_profile"],
                name="person_by_activation_delay",
            ),
            # A hash, because a B-tree would refuse very long addresses.
            HashIndex(LowerAscii(KeyTextTransform("email", "properties")), name="person_by_email"),
            HashIndex(
                LowerAscii(KeyTextTransform("email", "proved")), name="person_by_proved_email"
            ),
            models.Index(fields=["id"], condition=models.Q(excluded=True), name="person_excluded"),
            models.Index(fields=["is_demo"], condition=models.Q(is_demo=True), name="person_demo"),
            GinIndex(fields=["properties"], opclasses=["jsonb_path_ops"], name="person_properties"),
        ]

    def __str__(self) -> str:
        return self.email or f"person {self.pk}"

    @property
    def email(self) -> str:
        return str(self.properties.get("email") or "")


class DistinctId(models.Model):
    """One of the ids by which a product's code identifies a person."""

    distinct_id = models.CharField(primary_key=True, max_length=200)
    # No database constraint: on a cluster the two tables are distributed by different columns.
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, db_constraint=False, related_name="distinct_ids"
    )
    proved = models.BooleanField(
        db_default=False,
        help_text="Named by your backend, a verified identity, Stripe or staff, not only claimed",
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["person"], condition=models.Q(proved=True), name="distinct_id_proved"
            )
        ]

    def __str__(self) -> str:
        return self.distinct_id


class PersonMerge(models.Model):
    """A journal line: two persons were merged, or not, and why."""

    class Result(models.TextChoices):
        MERGED = "merged"
        UNDONE = "undone", "Merged, and undone"
        ALREADY_IDENTIFIED = "cannot_merge_already_identified", "Refused: already identified"
        ILLEGAL_ID = "illegal_distinct_id", "Refused: the id is a placeholder"
        PROTECTED = "protected", "Refused: only claimed, and a person is protected"
        UNPROVED = "unproved", "Refused: $merge_dangerously needs proof"
        BOTH_PAY = "both_pay", "Refused: both pay, so only staff may merge them"
        SPLIT = "split", "Split: an id was proved to be another person"

    happened_at = models.DateTimeField(db_default=Now(), db_index=True)
    result = models.CharField(max_length=40, choices=Result)
    cause = models.TextField(help_text="The event, or the staff user in the admin")
    event_uuid = models.UUIDField(null=True)
    distinct_id = models.CharField(max_length=200, help_text="Identifies the person that is kept")
    other_id = models.CharField(
        max_length=200, help_text="Identifies the person to be merged into it"
    )
    person_id = models.BigIntegerField(null=True, help_text="The kept person")
    other_person_id = models.BigIntegerField(null=True, help_text="The merged person")
    before = models.JSONField(default=dict, help_text="Data for an undo")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.TextField(db_default="", help_text="The staff user in the admin")

    class Meta:
        verbose_name = "merge"
        verbose_name_plural = "merge journal"
        indexes = [
            models.Index(fields=["person_id"]),
            models.Index(fields=["other_person_id"]),
            models.Index(fields=["distinct_id"], name="merge_by_distinct_id"),
            models.Index(fields=["other_id"], name="merge_by_other_id"),
            models.Index(
                fields=["undone_at"],
                condition=models.Q(undone_at__isnull=False),
                name="merge_by_undone_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.other_id} into {self.distinct_id}: {self.get_result_display()}"


class Group(Described):
    """An account, company or team that events name, with the latest properties sent for it."""

    group_type = models.CharField(max_length=200)
    group_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "customer group"
        constraints = [
            models.UniqueConstraint(fields=["group_type", "group_key"], name="group_by_its_key")
        ]

    def __str__(self) -> str:
        return f"{self.group_type} {self.group_key}"


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
