"""Roll-ups: small tables from which every KPI is read, whatever the number of events."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from analytics.calculations.cells import CounterName


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
