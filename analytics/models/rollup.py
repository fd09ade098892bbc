"""Roll-ups: small tables from which every KPI is read, whatever the number of events."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from analytics.calculations.cells import CounterName

from .person import Person


class Counter(models.Model):
    """A number of persons. `analytics.calculations.cells` says what counts where."""

    pk = models.CompositePrimaryKey("name", "number", "day")
    name = models.CharField(max_length=32, choices=[(name, name) for name in CounterName])
    number = models.IntegerField(help_text="Day or week number of a cohort, else 0")
    day = models.DateField(help_text="The day, or the first day of the week or month")
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name}[{self.day}, {self.number}] = {self.value}"


class EventDay(models.Model):
    """How many events of a name happened on a day, without those of excluded persons."""

    pk = models.CompositePrimaryKey("event", "day")
    event = models.TextField()
    day = models.DateField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.event}[{self.day}] = {self.value}"


class EventMinute(models.Model):
    """How many events of a name happened in a minute of the last day; the name "" counts all."""

    pk = models.CompositePrimaryKey("event", "minute")
    event = models.TextField()
    minute = models.DateTimeField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.event or 'all'}[{self.minute:%H:%M}] = {self.value}"


class LastActive(models.Model):
    """When a person who counts was last active, if that was within the last day."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, db_constraint=False
    )
    # No index: it would have to follow every change, and whoever reads reads most of the table.
    at = models.DateTimeField(help_text="Their latest qualifying event")

    class Meta:
        verbose_name_plural = "last active"

    def __str__(self) -> str:
        return f"{self.person_id} at {self.at}"


class RollupDefinition(models.Model):
    """The definitions the roll-ups were built with: one row, replaced by `rebuild_rollups`."""

    built_at = models.DateTimeField(db_default=Now())
    time_zone = models.CharField(max_length=64)
    signup_event = models.TextField()
    activation_event = models.TextField()
    passive_events = ArrayField(models.TextField())
    formula_version = models.IntegerField()

    def __str__(self) -> str:
        return f"roll-ups in {self.time_zone}, built {self.built_at}"
