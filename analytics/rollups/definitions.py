"""What counts as signup, activation and activity: as configured, and as the roll-ups use it.

Numbers always follow the definitions in force, so they stay consistent when a setting changes.
`rebuild_rollups` puts the configured definitions in force.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from analytics import extension_points
from analytics.calculations.cells import FORMULA_VERSION
from analytics.calculations.records import EARLIEST
from analytics.models import RollupDefinition
from common.calculations.calendar import LocalCalendar
from common.postgres import Compiled
from common.read_once import read_once

FIRST_EVENT = "$first_event"  # as signup event: a person's first qualifying event is the signup

# Never activity: bookkeeping of the SDKs, and events that happen to people.
_ALWAYS_PASSIVE = {
    "$identify",
    "$create_alias",
    "$merge_dangerously",
    "$set",
    "$groupidentify",
    "$feature_flag_called",
    "email_sent",
    "email_delivered",
    "email_opened",
    "email_clicked",
    "email_bounced",
    "email_complained",
}


@dataclass(frozen=True)
class Definitions:
    """The settings that decide what every counter means."""

    time_zone: str
    signup_event: str
    activation_event: str
    passive_events: frozenset[str]
    formula_version: int = FORMULA_VERSION

    @cached_property
    def ignored_events(self) -> frozenset[str]:
        """Events that are not activity."""
        return self.passive_events.union(_ALWAYS_PASSIVE, *extension_points.passive_events)


def configured() -> Definitions:
    """Return the definitions in the settings."""
    return Definitions(
        time_zone=settings.PLUMBLINE_TIME_ZONE,
        signup_event=settings.PLUMBLINE_SIGNUP_EVENT,
        activation_event=settings.PLUMBLINE_ACTIVATION_EVENT,
        passive_events=frozenset(settings.PLUMBLINE_PASSIVE_EVENTS),
    )


_ROW = Compiled(
    lambda: RollupDefinition.objects.order_by("pk").values_list(
        "time_zone", "signup_event", "activation_event", "passive_events", "formula_version"
    )[:1]
)


@read_once
def in_force() -> Definitions:
    """Return the definitions the roll-ups were built with, or the configured ones before any."""
    rows = _ROW.rows()
    if not rows:
        return configured()
    time_zone, signup_event, activation_event, passive_events, formula_version = rows[0]
    return Definitions(
        time_zone=time_zone,
        signup_event=signup_event,
        activation_event=activation_event,
        passive_events=frozenset(passive_events),
        formula_version=formula_version,
    )


def adopt_configured() -> Definitions:
    """Return the definitions in force, after adopting the configured ones if there were none."""
    if not RollupDefinition.objects.exists():
        adopt(configured())
    return in_force()


def adopt(definitions: Definitions) -> None:
    """Record that the roll-ups are built with `definitions` from now on."""
    RollupDefinition.objects.update_or_create(
        pk=1,
        defaults={
            "built_at": timezone.now(),
            "time_zone": definitions.time_zone,
            "signup_event": definitions.signup_event,
            "activation_event": definitions.activation_event,
            "passive_events": sorted(definitions.passive_events),
            "formula_version": definitions.formula_version,
        },
    )


def rebuild_needed() -> str:
    """Return a sentence naming the settings that need a rebuild, or ""."""
    old, new = in_force(), configured()
    changed = [
        f"{label} ({_formatted(getattr(old, name))} -> {_formatted(getattr(new, name))})"
        for name, label in (
            ("time_zone", "PLUMBLINE_TIME_ZONE"),
            ("signup_event", "PLUMBLINE_SIGNUP_EVENT"),
            ("activation_event", "PLUMBLINE_ACTIVATION_EVENT"),
            ("passive_events", "PLUMBLINE_PASSIVE_EVENTS"),
            ("formula_version", "the formulas"),
        )
        if getattr(old, name) != getattr(new, name)
    ]
    if not changed:
        return ""
    settings_changed = ", ".join(changed)
    return (
        f"Changed since the numbers were built: {settings_changed}. Run manage.py rebuild_rollups."
    )


def _formatted(value: object) -> str:
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)


def calendar() -> LocalCalendar:
    """Return the calendar of the time zone in force."""
    return LocalCalendar(in_force().time_zone)


def last_complete_day(now: datetime | None = None) -> date:
    """Return L: the last calendar day, in the time zone in force, that is over."""
    return calendar().last_complete_day(now or timezone.now())


def complete_day(day: date | None, *, now: datetime | None = None) -> date:
    """Return `day`, or L where it is None; raise ValidationError where numbers cannot cover it."""
    last = last_complete_day(now)
    if day is not None and day > last:
        raise ValidationError(f"{day} is not over: the last complete day is {last}.")
    if day is not None and day < EARLIEST.date():
        raise ValidationError(f"{day} is too early: the earliest day is {EARLIEST.date()}.")
    return day or last
