"""Exclusions from all metrics, and the rules that exclude persons."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from analytics.models.person import Person


class ExclusionRule(models.Model):
    """Excludes persons from all metrics, now and in future: by e-mail domain or property value."""

    name = models.CharField(max_length=100, unique=True)
    email_domain = models.CharField(
        max_length=253,
        blank=True,
        help_text="For example example.com: excludes persons with an e-mail address at it, as"
        " property “email” or as distinct id.",
    )
    with_subdomains = models.BooleanField(
        "subdomains too",
        default=False,
        db_default=False,
        help_text="Also excludes addresses such as ada@eu.example.com.",
    )
    property_name = models.CharField(
        max_length=200, blank=True, help_text="For example is_staff: a property of the person"
    )
    property_value = models.JSONField(
        null=True,
        blank=True,
        help_text="A text in any case, a number, true or false: true also matches “True” and 1.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(property_name="", property_value__isnull=True) & ~Q(email_domain="")
                | Q(email_domain="", property_value__isnull=False) & ~Q(property_name=""),
                name="exclusion_rule_of_one_kind",
                violation_error_message=(
                    "Enter either an e-mail domain, or the name of a property and its value."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Exclusion(models.Model):
    """A person's exclusion from all metrics: when it began, why, and when it ended.

    An excluded person has one exclusion that has not ended. What decided is kept as it was then:
    the name of the rule and the value that it matched.
    """

    class Cause(models.TextChoices):
        ARRIVAL = "arrival", "Events"
        RULES = "rules", "A changed rule"
        HAND = "hand", "By hand"
        MERGE = "merge", "A merge by staff"
        EARLIER = "earlier", "Before exclusions were recorded"

    # The database deletes the rows with the person; see the migration.
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, db_constraint=False, related_name="exclusions"
    )
    began_at = models.DateTimeField("excluded at", db_default=Now(), db_index=True)
    cause = models.CharField(max_length=8, choices=Cause)
    rule = models.CharField(max_length=100, blank=True, help_text="The rule's name at that time")
    value = models.CharField(max_length=200, blank=True, help_text="What the rule matched, cut")
    proved = models.BooleanField(
        null=True, help_text="Whether the value was proved, or only claimed; empty: no rule decided"
    )
    by = models.CharField(max_length=150, blank=True, help_text="The staff user")
    ended_at = models.DateTimeField("included again at", null=True)
    ended_by = models.CharField(max_length=150, blank=True, help_text="The staff user")
    kept_at = models.DateTimeField(null=True, help_text="When staff confirmed that it is right")
    kept_by = models.CharField(max_length=150, blank=True, help_text="The staff user")

    class Meta:
        default_permissions = ()  # those of persons apply
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(ended_at=None), name="exclusion_in_force"
            )
        ]
        indexes = [
            models.Index(
                fields=["began_at"],
                include=["ended_at", "kept_at"],
                condition=Q(cause="arrival"),
                name="exclusion_by_events",
            )
        ]

    def __str__(self) -> str:
        return f"person {self.person_id}"

    @property
    def reason(self) -> str:
        """What excluded the person, in a few words."""
        if self.cause == self.Cause.ARRIVAL and not self.rule:
            return "Events merged it with a person excluded by hand"
        return f"{self.get_cause_display()}{f': rule {self.rule}' if self.rule else ''}"

    @property
    def matched(self) -> str:
        """The value that the rule matched, and what it is worth; "": no rule decided."""
        if self.proved is None:
            return ""
        return f"{self.value} ({'proved' if self.proved else 'only claimed'})"
