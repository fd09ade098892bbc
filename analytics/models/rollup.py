"""Roll-ups: small tables for reading every KPI, whatever the number of events."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from analytics.calculations.cells import CounterName


class Counter(models.Model):
    """A number of persons. `analytics.calculations.cells` defines what counts where."""

    pk = models.CompositePrimaryKey("name", "number", "day")
    name = models.CharField(
        max_length=32, choices=[(name.value, name.value) for name in CounterName]
    )
    number = models.IntegerField(help_text="Day or week number of a cohort, else 0")
    day = models.DateField(help_text="The day, or the first day of the week or month")
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name}[{self.day}, {self.number}] = {self.value}"


class EventDay(models.Model):
    """The number of events of a name on a day, without those of excluded persons."""

    pk = models.CompositePrimaryKey("event", "day")
    event = models.TextField()
    day = models.DateField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.event}[{self.day}] = {self.value}"


class EventMinute(models.Model):
    """The number of events of a name in a minute of the last day; the name "" counts all."""

    pk = models.CompositePrimaryKey("event", "minute")
    event = models.TextField()
    minute = models.DateTimeField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.event or 'all'}[{self.minute:%H:%M}] = {self.value}"


class LastActiveBlock(models.Model):
    """When the persons of a block, with consecutive ids, were last active.

    Most batches of events change it for many persons, and a row for a hundred persons costs hardly
    more than a row for a single person.
    """

    PERSONS = 128

    block = models.BigIntegerField(primary_key=True, help_text="The persons' ids, divided by 128")
    minutes = models.BinaryField(
        help_text="Per person the minute since 1970 of the latest qualifying event, if counted:"
        " 4 bytes, big-endian; 0: none"
    )

    def __str__(self) -> str:
        return f"persons {self.block * self.PERSONS} to {(self.block + 1) * self.PERSONS - 1}"


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
